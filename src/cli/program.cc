#include "cli/program.h"

#include <csignal>
#include <cstdio>
#include <fstream>
#include <sstream>

#include <unistd.h>

#include "core/text.h"
#include "monitor/run_log.h"
#include "train/trainer.h"

namespace segue::cli {
namespace {

std::atomic<bool> g_cancelled{false};  // a signal handler can reach nothing else
std::atomic<bool> g_hung_up{false};

extern "C" void OnSignal(int) { g_cancelled.store(true); }
extern "C" void OnHangUp(int) { g_hung_up.store(true); }

/// `algorithm`: whose settings need no prefix; "" nobody's.
Status ApplySet(Settings& settings, const std::string& assignment, const std::string& algorithm) {
  const size_t equals = assignment.find('=');
  if (equals == std::string::npos) {
    return Error{ErrorCode::kInvalid, "--set " + assignment + ": expected KEY=VALUE"};
  }
  return train::SetFor(settings, algorithm, assignment.substr(0, equals), assignment.substr(equals + 1));
}

/// A secret that lies in a file, without the line end that editors leave; `name`
/// is the setting's, with "_file" that of the path.
Status ReadSecretFile(const std::string& name, const std::string& path, std::string& secret) {
  if (path.empty()) return {};
  if (!secret.empty()) return Error{ErrorCode::kInvalid, name + " and " + name + "_file are both set: leave one out"};
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  secret = std::string(Trimmed(text.str()));
  if (!file || secret.empty()) {
    return Error{ErrorCode::kInvalid, name + "_file is '" + path + "', which " + (file ? "is empty" : "cannot be read")};
  }
  return {};
}

}  // namespace

const std::atomic<bool>& Cancelled() { return g_cancelled; }

void CatchSignals() {
  struct sigaction action {};
  action.sa_handler = OnSignal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

void CatchHangUp() {
  struct sigaction action {};
  action.sa_handler = OnHangUp;
  sigaction(SIGHUP, &action, nullptr);
}

bool HungUp() { return g_hung_up.exchange(false); }

Result<Settings> ReadSettings(const Common& common, const std::string& algorithm) {
  Settings settings;
  const std::filesystem::path path =
      common.config.empty() ? store::DataFolder{common.data}.config() : std::filesystem::path(common.config);
  std::error_code error;
  if (!common.config.empty() || std::filesystem::exists(path, error)) {
    std::ifstream file(path);
    if (!file) return Error{ErrorCode::kNotFound, "cannot read the config file " + path.string()};
    std::ostringstream text;
    text << file.rdbuf();
    SEGUE_RETURN_IF_ERROR(ApplyToml(settings, text.str(), path.string()));
  }
  SEGUE_RETURN_IF_ERROR(ApplyEnvironment(settings, environ));
  for (const std::string& assignment : common.set) SEGUE_RETURN_IF_ERROR(ApplySet(settings, assignment, algorithm));
  SEGUE_RETURN_IF_ERROR(ReadSecretFile("notifications.secret", settings.notifications_secret_file, settings.notifications_secret));
  SEGUE_RETURN_IF_ERROR(ReadSecretFile("alarms.webhook_secret", settings.alarms.webhook_secret_file, settings.alarms.webhook_secret));
  return settings;
}

Result<std::unique_ptr<Program>> OpenProgram(const Common& common, Create create, Voice voice) {
  auto program = std::make_unique<Program>();
  SEGUE_TRY(program->settings, ReadSettings(common));
  std::error_code error;
  program->folder.root = std::filesystem::absolute(common.data, error);
  const auto& root = program->folder.root;
  if (create == Create::kNo && !std::filesystem::exists(program->folder.catalog(), error)) {
    return Error{ErrorCode::kNotFound, root.string() + " is not a Segue data folder (no catalog.sqlite). "
                                       "Name one with --data DIR, or make one: segue serve --data DIR"};
  }
  std::filesystem::create_directories(program->folder.inbox(), error);
  if (error) return store::SystemError("creating", program->folder.inbox(), error.value());
  SEGUE_TRY(program->bucket, store::OpenFolderStore(program->folder.bucket()));
  SEGUE_TRY(program->catalog, store::OpenSqliteCatalog(program->folder.catalog()));
  const auto cancelled = [] { return g_cancelled.load(); };
  program->instruments = voice == Voice::kDaemon ? monitor::DaemonInstruments(program->clock, cancelled)
                                                 : monitor::ConsoleInstruments(common.quiet, cancelled);
  return program;
}

int Fail(const Error& error) {
  std::fprintf(stderr, "segue: %s\n", error.message.c_str());
  return error.code == ErrorCode::kInvalid || error.code == ErrorCode::kNotFound ? kUsage : kFailed;
}

}  // namespace segue::cli
