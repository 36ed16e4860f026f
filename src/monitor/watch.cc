#include "monitor/watch.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <nlohmann/json.hpp>

#include "monitor/alarms.h"
#include "monitor/delivery.h"
#include "monitor/exposition.h"
#include "monitor/readings.h"
#include "monitor/request_log.h"
#include "monitor/request_window.h"
#include "monitor/webhook.h"

namespace segue::monitor {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr auto kDeliveryLook = milliseconds(500);

class WatchThreads final : public Watch {
 public:
  WatchThreads(const Context& context, std::vector<AlarmRule> rules)
      : context_(context), evaluator_(context.catalog.alarm_book(), std::move(rules), context.settings.alarms.event_hours) {
    if (context_.settings.logs.requests == "on") {
      log_ = std::make_unique<RequestLog>(context_.folder.logs(), context_.clock, context_.settings.logs);
    }
    looks_ = std::thread([this] { Look(); });
    if (context_.leads) deliveries_ = std::thread([this] { Deliver(); });
  }
  ~WatchThreads() override {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    looks_.join();
    if (deliveries_.joinable()) deliveries_.join();
  }

  void Answered(const AnsweredRequest& request) override {
    window_.Note(request.microseconds);
    if (log_) log_->Add(request);
  }

  std::string Exposition() const override {
    ExposedState state;
    {
      const std::lock_guard lock(mutex_);
      state.readings = readings_;
    }
    state.log_lines_dropped = log_ ? log_->dropped() : 0;
    return Expose(context_, state);
  }

 private:
  /// False once it is time to stop.
  bool Pause(steady_clock::duration length) {
    std::unique_lock lock(mutex_);
    return !wake_.wait_for(lock, length, [this] { return stop_.load(); });
  }

  /// A bug ends one look, not the watch.
  template <typename Body>
  void Guard(const Body& body, std::string& last_problem) {
    std::string problem;
    try {
      if (const Status status = body(); !status.ok() && status.error().code != ErrorCode::kCancelled) problem = status.error().message;
    } catch (const std::exception& bug) {
      problem = bug.what();
    }
    if (!problem.empty() && problem != last_problem) context_.instruments.Log(LogLevel::kError, "monitor", problem, nlohmann::json());
    last_problem = problem;
  }

  void Look() {
    Reader reader(context_.bucket, context_.catalog, context_.settings, context_.instruments);
    std::string problem, kept;
    do {
      Guard([&] { return LookOnce(reader, kept); }, problem);
    } while (Pause(std::chrono::seconds(context_.settings.alarms.check_seconds)));
  }

  Status LookOnce(Reader& reader, std::string& kept) {
    const int64_t now = context_.clock.NowMs();
    Readings readings = reader.Read(now);
    if (const auto p99 = window_.P99(now)) readings["request_p99_seconds"] = *p99;
    readings["log_lines_dropped"] = log_ ? static_cast<double>(log_->dropped()) : 0;
    {
      const std::lock_guard lock(mutex_);
      readings_ = readings;
    }
    if (!context_.leads) return {};
    // For who asks about the dataset's drift, in whichever process.
    const std::string listening = reader.listening() ? ToJson(*reader.listening()).dump() : "";
    if (listening != kept) {
      SEGUE_RETURN_IF_ERROR(context_.catalog.SetMeta("listening_drift", listening));
      kept = listening;
    }
    const auto steady = std::chrono::duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
    return evaluator_.Look(readings, now, steady);
  }

  void Deliver() {
    const AlarmSettings& settings = context_.settings.alarms;
    const WebhookTarget target{settings.webhook_url, settings.webhook_secret, settings.webhook_timeout_s};
    AlarmDelivery::Send send;
    if (!target.url.empty()) send = [&](const std::string& body) { return PostJson(target, body, stop_); };
    AlarmDelivery delivery(context_.catalog.alarm_book(), context_.instruments, send);
    std::string problem;
    do {
      Guard([&]() -> Status {
        const auto round = delivery.Round(context_.clock.NowMs());
        return round.ok() ? Status() : Status(round.error());
      }, problem);
    } while (Pause(kDeliveryLook));
  }

  Context context_;
  AlarmEvaluator evaluator_;
  std::unique_ptr<RequestLog> log_;
  RequestWindow window_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<bool> stop_{false};
  Readings readings_;
  std::thread looks_;
  std::thread deliveries_;
};

}  // namespace

Result<std::unique_ptr<Watch>> StartWatch(const Context& context) {
  SEGUE_TRY(auto rules, RulesInForce(context.settings));
  return std::unique_ptr<Watch>(std::make_unique<WatchThreads>(context, std::move(rules)));
}

}  // namespace segue::monitor
