#include <cstdio>
#include <thread>

#include "cli/verbs.h"
#include "monitor/watch.h"
#include "serve/server.h"

namespace segue::cli {
namespace {

void SayHello(const Program& program, const serve::Server& server) {
  const std::string address = program.settings.listen.substr(0, program.settings.listen.rfind(':'));
  if (server.tls_port() != 0) {
    const std::string tls = program.settings.tls_listen.substr(0, program.settings.tls_listen.rfind(':'));
    std::printf("segue serves on https://%s:%d\n", tls.c_str(), server.tls_port());
  }
  std::printf("segue serves on http://%s:%d\n  inbox   %s\n  data    %s\n  stop    Ctrl-C\n", address.c_str(), server.port(),
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
  // Whoever runs the pipeline looks after the alarms, too.
  auto watch = monitor::StartWatch({*open.bucket, *open.catalog, open.clock, open.settings, *open.instruments, open.folder, !flags.replica});
  if (!watch.ok()) return Fail(watch.error());
  auto server = serve::Start({*open.bucket, *open.catalog, open.clock, open.settings, *open.instruments, open.folder, watch->get()});
  if (!server.ok()) return Fail(server.error());
  if ((*server)->tls_port() != 0) CatchHangUp();
  SayHello(open, **server);
  while (!Cancelled().load()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    if (!HungUp()) continue;
    if (const Status read = (*server)->ReadCertificate(); !read.ok()) open.instruments->Warn("serve", "the certificate before goes on: " + read.error().message);
  }
  open.instruments->Info("serve", "stopping");
  (*server)->Stop();
  follower.reset();
  return kOk;
}

}  // namespace segue::cli
