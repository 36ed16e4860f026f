#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <thread>

#include <nlohmann/json.hpp>

#include "cli/loopback.h"
#include "cli/verbs.h"
#include "simulate/simulate.h"

namespace segue::cli {
namespace {

using nlohmann::json;
using std::chrono::steady_clock;

constexpr auto kLongestStart = std::chrono::minutes(10);

std::filesystem::path PidFile(const Program& program) { return program.folder.root / "serve.pid"; }
std::filesystem::path LogFile(const Program& program) { return program.folder.root / "serve.log"; }

/// The demo's server, if it runs.
pid_t RunningServer(const Program& program) {
  std::ifstream file(PidFile(program));
  pid_t pid = 0;
  if (!(file >> pid) || pid <= 1) return 0;
  std::ifstream command("/proc/" + std::to_string(pid) + "/cmdline", std::ios::binary);
  const std::string line{std::istreambuf_iterator<char>(command), {}};
  // Another process may have the number by now.
  return line.find("segue") != std::string::npos && line.find("serve") != std::string::npos ? pid : 0;
}

Result<json> AskStatus(const Program& program) {
  SEGUE_TRY(const Reply reply, GetFrom(program.settings.listen, "/v1/status", program.settings.token));
  json status = json::parse(reply.body, nullptr, false);
  if (reply.status != 200 || status.is_discarded()) {
    return Error{ErrorCode::kUnavailable, "what answers on " + program.settings.listen + " is not Segue"};
  }
  return status;
}

Result<pid_t> StartServer(const Program& program) {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  const std::string data = program.folder.root.string();
  const std::string log = LogFile(program).string();
  const pid_t pid = ::fork();
  if (pid < 0) return Error{ErrorCode::kIo, "could not start the server process"};
  if (pid == 0) {
    ::setsid();
    const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    const int in = ::open("/dev/null", O_RDONLY);
    ::dup2(in, 0);
    ::dup2(out, 1);
    ::dup2(out, 2);
    ::execl(self.c_str(), self.c_str(), "serve", "--data", data.c_str(), "--listen",
            program.settings.listen.c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
  }
  std::ofstream(PidFile(program)) << pid << "\n";
  return pid;
}

/// Waits until a model is live; says what goes on meanwhile.
Status WaitForModel(const Program& program, pid_t pid) {
  const auto start = steady_clock::now();
  std::string shown;
  while (steady_clock::now() - start < kLongestStart) {
    if (Cancelled().load()) return Error{ErrorCode::kCancelled, "stopped; the server goes on in the background"};
    int state = 0;
    if (pid != 0 && ::waitpid(pid, &state, WNOHANG) == pid) {
      return Error{ErrorCode::kIo, "the server ended; its log is " + LogFile(program).string()};
    }
    if (const auto status = AskStatus(program); status.ok()) {
      if (!(*status)["live"].is_null()) return {};
      const json run = status->value("run", json());
      std::string now = "starting";
      if (run.is_object()) {
        for (const json& stage : run.value("stages", json::array())) {
          if (stage.value("state", "") == "running") now = stage.value("name", "");
        }
      }
      if (now != shown) program.instruments->Info("demo", shown = now);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return Error{ErrorCode::kUnavailable, "no model is live after 10 minutes; the log is " + LogFile(program).string()};
}

std::string SomeListener(const Program& program) {
  const auto reply = GetFrom(program.settings.listen, "/v1/listeners?n=1", program.settings.token);
  if (!reply.ok()) return "listener-001";
  const json list = json::parse(reply->body, nullptr, false);
  if (!list.is_object() || !list.contains("items") || list["items"].empty()) return "listener-001";
  const json& first = list["items"][0];
  return first.is_string() ? first.get<std::string>() : first.value("listener", "listener-001");
}

void SayReady(const Program& program, bool json_wanted) {
  const std::string url = "http://" + program.settings.listen;
  const std::string request = url + "/v1/listeners/" + SomeListener(program) + "/recommendations?n=5";
  const std::string inbox = program.folder.inbox().string();
  if (json_wanted) {
    std::printf("%s\n", json{{"url", url}, {"try", request}, {"inbox", inbox}}.dump(2).c_str());
    return;
  }
  std::printf("\nSegue is running, with a model live.\n\n"
              "  open    %s\n"
              "  try     curl -s '%s'\n"
              "  inbox   %s\n"
              "          (drop listening histories there, e.g. a folder per listener with a Spotify export)\n"
              "  stop    segue demo --stop --data %s   (or: make demo-stop)\n\n",
              url.c_str(), request.c_str(), inbox.c_str(), program.folder.root.c_str());
}

int Stop(const Program& program) {
  const pid_t pid = RunningServer(program);
  if (pid == 0) {
    std::printf("The demo is not running.\n");
    return kOk;
  }
  ::kill(pid, SIGTERM);
  const auto start = steady_clock::now();
  while (::kill(pid, 0) == 0 && RunningServer(program) == pid) {
    if (steady_clock::now() - start > std::chrono::seconds(60)) {
      return Fail({ErrorCode::kIo, "process " + std::to_string(pid) + " does not stop"});
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  std::error_code error;
  std::filesystem::remove(PidFile(program), error);
  std::printf("The demo is stopped.\n");
  return kOk;
}

Status MakeListeners(const Program& program) {
  SEGUE_TRY(const auto objects, program.catalog->Objects(""));
  if (!objects.empty() || !std::filesystem::is_empty(program.folder.inbox())) return {};
  program.instruments->Info("demo", "making listeners");
  SEGUE_TRY(const auto summary, simulate::Simulate({}, program.folder.inbox(), *program.instruments));
  program.instruments->Info("demo", std::to_string(summary.plays) + " plays in " + std::to_string(summary.files) +
                                        " files dropped into the inbox");
  return {};
}

}  // namespace

int Demo(const Common& common, const DemoFlags& flags) {
  CatchSignals();
  auto opened = OpenProgram(common, Create::kYes, Voice::kConsole);
  if (!opened.ok()) return Fail(opened.error());
  Program& program = **opened;
  if (!flags.listen.empty()) program.settings.listen = flags.listen;
  if (flags.stop) return Stop(program);

  pid_t started = 0;
  if (RunningServer(program) == 0) {
    if (AskStatus(program).ok()) {
      return Fail({ErrorCode::kConflict, "another Segue answers on " + program.settings.listen +
                                             "; stop it or choose another address with --listen"});
    }
    if (const Status made = MakeListeners(program); !made.ok()) return Fail(made.error());
    const auto pid = StartServer(program);
    if (!pid.ok()) return Fail(pid.error());
    started = *pid;
  }
  if (const Status live = WaitForModel(program, started); !live.ok()) return Fail(live.error());
  SayReady(program, common.json);
  return kOk;
}

}  // namespace segue::cli
