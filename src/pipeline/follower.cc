#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <thread>

#include <nlohmann/json.hpp>

#include "clean/cleaner.h"
#include "pipeline/delivery.h"
#include "pipeline/inbox.h"
#include "pipeline/lock.h"
#include "pipeline/pipeline.h"
#include "pipeline/retry.h"
#include "pipeline/triggers.h"

namespace segue::pipeline {
namespace {

using nlohmann::json;

constexpr int kLookMs = 100;               ///< how often events are looked at
constexpr int kCommandLookMs = 10;         ///< promotions and rollbacks are waited for
constexpr auto kDeliveryLook = std::chrono::seconds(1);
constexpr int kDeliveryRest = 20;          ///< a look at a trial is followed by so many times its length without one
constexpr auto kFirstFlush = std::chrono::minutes(1);
constexpr auto kFlushEvery = std::chrono::hours(1);
constexpr int64_t kInboxLookMs = 5'000;    ///< a look at the inbox even without a change reported
constexpr int64_t kLongestBurstMs = 60'000;  ///< a stream of files without a pause still starts a run

class FollowerThreads final : public Follower {
 public:
  FollowerThreads(const Context& context, std::unique_ptr<PipelineLock> lock, std::unique_ptr<InboxWatch> watch, Triggers triggers)
      : lock_(std::move(lock)), watch_(std::move(watch)), outer_(context.cancelled),
        context_{context.bucket, context.catalog, context.clock, context.settings,
                 context.instruments, context.folder, stop_}, triggers_(std::move(triggers)) {
    runs_ = std::thread([this] { Guard("run", [this] { FollowRuns(); }); });
    commands_ = std::thread([this] { Guard("deploy", [this] { FollowTheCommands(); }); });
    delivery_ = std::thread([this] { Guard("deploy", [this] { FollowTheDelivery(); }); });
  }

  ~FollowerThreads() override {
    stop_ = true;
    runs_.join();
    commands_.join();
    delivery_.join();
  }

 private:
  bool Stopped() {
    if (outer_.load()) stop_ = true;
    return stop_.load();
  }

  /// A bug ends one look, not the program.
  template <typename Look>
  void Guard(const char* what, const Look& look) {
    while (!Stopped()) {
      try {
        look();
      } catch (const std::exception& bug) {
        context_.instruments.Log(LogLevel::kError, what, bug.what(), json());
        std::this_thread::sleep_for(std::chrono::seconds(1));
      }
    }
  }

  void FollowTheCommands() {
    while (!Stopped()) {
      if (const Status status = FollowCommands(context_); !status.ok()) Complain(status.error());
      std::this_thread::sleep_for(std::chrono::milliseconds(kCommandLookMs));
    }
  }

  /// Trials, and impressions on their way to the bucket.
  void FollowTheDelivery() {
    using std::chrono::steady_clock;
    auto look_at = steady_clock::now(), flush_at = look_at + kFirstFlush;
    while (!Stopped()) {
      const auto start = steady_clock::now();
      if (start >= look_at) {
        if (const Status status = FollowDelivery(context_); !status.ok()) Complain(status.error());
        const auto now = steady_clock::now();
        look_at = now + std::max<steady_clock::duration>(kDeliveryLook, kDeliveryRest * (now - start));
      }
      if (start >= flush_at) {
        const Status flushed = clean::FlushImpressions({context_.bucket, context_.catalog, context_.clock, context_.settings, context_.instruments});
        if (!flushed.ok() && flushed.error().code != ErrorCode::kCancelled) Complain(flushed.error());
        flush_at = steady_clock::now() + kFlushEvery;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(kLookMs));
    }
  }

  void Complain(const Error& error) {
    const std::lock_guard lock(complaint_mutex_);
    if (error.message == last_complaint_) return;
    last_complaint_ = error.message;
    context_.instruments.Log(LogLevel::kError, "run", error.message, json());
  }

  void FollowRuns() {
    if (auto resumed = ResumeInterrupted(context_); !resumed.ok()) Complain(resumed.error());
    if (auto retry = RetryOfTheLastRun(context_); retry.ok()) retry_ = *std::move(retry);
    else Complain(retry.error());
    while (!Stopped()) {
      if (watch_->Wait(kLookMs)) {
        last_change_ms_ = context_.clock.NowMs();
        changed_ = true;
      }
      if (const auto trigger = Due()) {
        Start(*trigger);
      }
    }
  }

  void Start(const Trigger& trigger) {
    started_ms_ = context_.clock.NowMs();
    if (const Status starting = triggers_.Starting(trigger, started_ms_); !starting.ok()) {
      // Not remembered, it would start again and again.
      Complain(starting.error());
      retry_.Ended(trigger, starting.error(), started_ms_);
      return;
    }
    const auto run = RunOnce(context_, trigger);
    FinishRunCommands(run);
    if (run.ok()) {
      if (const Status ended = triggers_.Ended(*run); !ended.ok()) Complain(ended.error());
    } else {
      Complain(run.error());
    }
    retry_.Ended(trigger, run, context_.clock.NowMs());
    changed_ = true;  // what came in meanwhile starts the next run
  }

  std::optional<Trigger> Due() {
    const int64_t now = context_.clock.NowMs();
    if (auto asked = Asked()) return asked;
    // Other files may be what mends it.
    if (retry_.Waits(now)) return InboxDue(now, started_ms_);
    if (auto again = retry_.Due(now)) return again;
    auto due = triggers_.Due(now);
    if (!due.ok()) Complain(due.error());
    if (due.ok() && *due && (*due)->kind == "notification") return *due;
    if (auto inbox = InboxDue(now, 0)) return inbox;
    return due.ok() ? *due : std::nullopt;
  }

  std::optional<Trigger> Asked() {
    const auto commands = context_.catalog.PendingCommands();
    if (!commands.ok()) {
      Complain(commands.error());
      return std::nullopt;
    }
    asked_.clear();
    Trigger trigger;
    for (const auto& command : *commands) {
      if (command.kind != "run") continue;
      const json arguments = json::parse(command.arguments, nullptr, false);
      const bool dry_run = arguments.is_object() && arguments.value("dry_run", false);
      const std::string reason = arguments.is_object() ? arguments.value("reason", "") : "";
      const char* kind = dry_run ? kDryRun : "person";
      // One run answers all wishes of its kind.
      if (!asked_.empty() && trigger.kind != kind) continue;
      if (asked_.empty()) trigger = {kind, command.actor + (reason.empty() ? "" : ": " + reason)};
      asked_.push_back(command);
    }
    return asked_.empty() ? std::nullopt : std::optional(trigger);
  }

  void FinishRunCommands(const Result<store::RunRecord>& run) {
    const json outcome = run.ok() ? json{{"run_id", run->run_id}, {"state", run->state}}
                                  : json{{"code", Name(run.error().code)}, {"message", run.error().message}};
    for (const auto& command : asked_) {
      const Status status = context_.catalog.FinishCommand(command.id, run.ok() ? "done" : "failed", outcome.dump());
      if (!status.ok()) Complain(status.error());
    }
    asked_.clear();
  }

  /// Files that have come to rest, one of them not before `since_ms`.
  std::optional<Trigger> InboxDue(int64_t now, int64_t since_ms) {
    // Times apart are taken without their sign: a clock that is set back must not stop the looks.
    if (!changed_ && std::llabs(now - looked_ms_) < kInboxLookMs) return std::nullopt;
    const InboxListing listing = ListInbox(context_.folder.inbox());
    const bool new_problems = listing.problems.size() != known_problems_;
    const bool fresh = std::any_of(listing.files.begin(), listing.files.end(), [&](const InboxFile& file) { return file.changed_ms >= since_ms; });
    if (!fresh && !new_problems) {
      waiting_since_ms_ = 0;
      looked_ms_ = now;
      changed_ = false;
      return std::nullopt;
    }
    if (waiting_since_ms_ == 0 || waiting_since_ms_ > now) waiting_since_ms_ = now;
    int64_t quiet = std::llabs(now - last_change_ms_);
    for (const auto& file : listing.files) quiet = std::min<int64_t>(quiet, std::llabs(now - file.changed_ms));
    const int64_t needed = std::max(context_.settings.inbox_burst_ms, context_.settings.inbox_settle_ms + 50);
    if (quiet < needed && now - waiting_since_ms_ < kLongestBurstMs) return std::nullopt;
    waiting_since_ms_ = 0;
    known_problems_ = listing.problems.size();
    return Trigger{"inbox", std::to_string(listing.files.size()) + " files in the inbox"};
  }

  std::unique_ptr<PipelineLock> lock_;
  std::unique_ptr<InboxWatch> watch_;
  const std::atomic<bool>& outer_;
  std::atomic<bool> stop_{false};
  Context context_;
  Triggers triggers_;
  std::vector<store::Command> asked_;
  std::mutex complaint_mutex_;
  std::string last_complaint_;
  int64_t last_change_ms_ = 1;
  int64_t looked_ms_ = 0;
  bool changed_ = true;  ///< since the inbox was seen without what starts a run
  int64_t waiting_since_ms_ = 0;
  size_t known_problems_ = 0;
  Retry retry_;
  int64_t started_ms_ = 0;  ///< the last run
  std::thread runs_;
  std::thread commands_;
  std::thread delivery_;
};

}  // namespace

Result<std::unique_ptr<Follower>> Follow(const Context& context) {
  SEGUE_TRY(auto lock, LockPipeline(context.folder.root));
  std::error_code error;
  std::filesystem::create_directories(context.folder.inbox(), error);
  if (error) return store::SystemError("creating", context.folder.inbox(), error.value());
  SEGUE_TRY(auto watch, WatchInbox(context.folder.inbox()));
  SEGUE_TRY(auto triggers, Triggers::Make(context));
  return std::unique_ptr<Follower>(
      std::make_unique<FollowerThreads>(context, std::move(lock), std::move(watch), std::move(triggers)));
}

}  // namespace segue::pipeline
