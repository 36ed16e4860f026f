#include "clean/workshop.h"

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "store/file_system.h"

namespace segue::clean {
namespace {

Result<std::filesystem::path> MakeFolder(const std::filesystem::path& scratch) {
  std::error_code error;
  std::filesystem::create_directories(scratch, error);
  std::string name = (scratch / "clean-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) return store::SystemError("making a scratch folder", name, errno);
  return std::filesystem::path(name);
}

}  // namespace

/// Looks ten times a second whether the work should end.
class Workshop::Watcher {
 public:
  Watcher(Instruments& instruments, store::Duck& duck)
      : thread_([this, &instruments, &duck] {
          std::unique_lock lock(mutex_);
          while (!wake_.wait_for(lock, std::chrono::milliseconds(100), [this] { return done_; })) {
            if (instruments.Cancelled()) duck.Interrupt();
          }
        }) {}

  ~Watcher() {
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool done_ = false;
  std::thread thread_;  // last: starts when the others are there
};

Workshop::Workshop(const Context& context, std::filesystem::path folder, std::unique_ptr<store::Duck> duck)
    : context_(context),
      folder_(std::move(folder)),
      duck_(std::move(duck)),
      watcher_(std::make_unique<Watcher>(context.instruments, *duck_)) {}

Workshop::~Workshop() {
  watcher_.reset();
  duck_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

Result<std::unique_ptr<Workshop>> Workshop::Open(const Context& context) {
  SEGUE_TRY(const std::filesystem::path folder, MakeFolder(context.bucket.ScratchFolder()));
  auto duck = store::OpenDuck({.threads = context.settings.threads,
                               .memory_limit_mb = context.settings.memory_limit_mb,
                               .spill_folder = folder / "spill"});
  if (!duck.ok()) {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
    return duck.error();
  }
  auto workshop = std::unique_ptr<Workshop>(new Workshop(context, folder, *std::move(duck)));
  // Whatever needs an order asks for one.
  SEGUE_RETURN_IF_ERROR(workshop->Run("SET preserve_insertion_order = false"));
  return workshop;
}

Status Workshop::WriteParquet(std::string_view query, std::string_view key) {
  SEGUE_TRY(const int64_t threads, duck_->Count("SELECT current_setting('threads')::BIGINT"));
  const std::filesystem::path file = folder_ / "writing.parquet";
  SEGUE_RETURN_IF_ERROR(Run("SET threads = 1; SET preserve_insertion_order = true"));
  const Status copied = Run("COPY (" + std::string(query) + ") TO " + store::Quoted(file.string()) +
                            " (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)");
  SEGUE_RETURN_IF_ERROR(Run("SET threads = " + std::to_string(threads) + "; SET preserve_insertion_order = false"));
  SEGUE_RETURN_IF_ERROR(copied);
  return context_.bucket.PutFile(key, file);
}

}  // namespace segue::clean
