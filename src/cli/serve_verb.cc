#include <cstdio>
#include <thread>

#include "cli/verbs.h"
#include "serve/server.h"

namespace segue::cli {
namespace {

void SayHello(const Program& program, uint16_t port) {
  const std::string address = program.settings.listen.substr(0, program.settings.listen.rfind(':'));
  std::printf("segue serves on http://%s:%d\n  inbox   %s\n  data    %s\n  stop    Ctrl-C\n", address.c_str(), port,
              program.folder.inbox().c_str(), program.folder.root.c_str());
  std::fflush(stdout);
}

}  // namespace

int Serve(const Common& common, const ServeFlags& flags) {
  CatchSignals();
  auto program = OpenProgram(common, Create::kYes, Voice::kDaemon);
  if (!program.ok()) return Fail(program.error());
  Program& open = **program;
  if (!flags.listen.empty()) open.settings.listen = flags.listen;

  std::unique_ptr<pipeline::Follower> follower;
  const pipeline::Context context = open.PipelineContext();
  if (!flags.replica) {
    auto followed = pipeline::Follow(context);
    if (!followed.ok()) return Fail(followed.error());
    follower = *std::move(followed);
  }
  auto server = serve::Start({*open.bucket, *open.catalog, open.clock, open.settings, *open.instruments, open.folder});
  if (!server.ok()) return Fail(server.error());
  SayHello(open, (*server)->port());
  while (!Cancelled().load()) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  open.instruments->Info("serve", "stopping");
  (*server)->Stop();
  follower.reset();
  return kOk;
}

}  // namespace segue::cli
