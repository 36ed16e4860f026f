#include <cstdio>

#include <nlohmann/json.hpp>

#include "cli/verbs.h"

namespace segue::cli {
namespace {

using nlohmann::json;

json TimeOrNull(int64_t at) { return at == 0 ? json() : json(store::Iso8601(at)); }

std::string TextOf(const json& value) { return value.is_string() ? value.get<std::string>() : "-"; }

json TokenLine(const store::TokenRecord& token) {
  return {{"id", token.id}, {"name", token.name}, {"role", Name(token.role)}, {"listener", token.listener}, {"legacy", !token.legacy_md5.empty()},
          {"created", TimeOrNull(token.created_at)}, {"last_used", TimeOrNull(token.last_used_at)}, {"revoked", TimeOrNull(token.revoked_at)}};
}

std::string SubjectOf(const store::TokenRecord& token) { return token.name + " (" + std::string(Name(token.role)) + ")"; }

}  // namespace

void Audit(const Program& program, const std::string& action, const std::string& subject, const Status& outcome) {
  const auto kept = program.catalog->access().AppendAudit({.at = program.clock.NowSeconds(), .actor = "cli", .action = "segue " + action,
                                                           .subject = subject, .outcome = outcome.ok() ? "ok" : outcome.error().message});
  if (!kept.ok()) std::fprintf(stderr, "segue: the audit lacks this: %s\n", kept.error().message.c_str());
}

int CreateToken(const Common& common, const TokenFlags& flags) {
  auto program = OpenProgram(common, Create::kYes, Voice::kConsole);
  if (!program.ok()) return Fail(program.error());
  const std::string secret = store::NewSecret();
  const auto token = store::MakeToken(flags.name, store::ParseRole(flags.role).value_or(store::Role::kRead), flags.listener, flags.legacy, secret,
                                      (*program)->clock.NowSeconds());
  if (!token.ok()) return Fail(token.error());
  const Status added = (*program)->catalog->access().AddToken(*token);
  Audit(**program, "tokens create", SubjectOf(*token), added);
  if (!added.ok()) return Fail(added.error());
  if (common.json) {
    json line = TokenLine(*token);
    line["token"] = secret;
    std::printf("%s\n", line.dump(2).c_str());
  } else {
    std::printf("%s\n", secret.c_str());
    std::fprintf(stderr, "This is the token: it is not shown again. Segue keeps only its hash%s.\n", flags.legacy ? ", and its MD5 for Audioscrobbler 1.2" : "");
  }
  return kOk;
}

int ListTokens(const Common& common) {
  auto program = OpenProgram(common, Create::kNo, Voice::kConsole);
  if (!program.ok()) return Fail(program.error());
  const auto tokens = (*program)->catalog->access().Tokens();
  if (!tokens.ok()) return Fail(tokens.error());
  json list = json::array();
  for (const auto& token : *tokens) list.push_back(TokenLine(token));
  if (common.json) {
    std::printf("%s\n", list.dump(2).c_str());
    return kOk;
  }
  std::printf("%-18s %-16s %-7s %-16s %-21s %-21s %s\n", "id", "name", "role", "listener", "created", "last used", "");
  for (const json& token : list) {
    std::printf("%-18s %-16s %-7s %-16s %-21s %-21s %s%s\n", TextOf(token["id"]).c_str(), TextOf(token["name"]).c_str(), TextOf(token["role"]).c_str(),
                TextOf(token["listener"]).c_str(), TextOf(token["created"]).c_str(), TextOf(token["last_used"]).c_str(),
                token["legacy"].get<bool>() ? "legacy " : "", token["revoked"].is_null() ? "" : "revoked");
  }
  return kOk;
}

int RevokeToken(const Common& common, const std::string& id_or_name) {
  auto program = OpenProgram(common, Create::kNo, Voice::kConsole);
  if (!program.ok()) return Fail(program.error());
  const auto revoked = (*program)->catalog->access().RevokeToken(id_or_name, (*program)->clock.NowSeconds());
  Audit(**program, "tokens revoke", revoked.ok() ? SubjectOf(*revoked) : id_or_name, revoked.ok() ? Status() : Status(revoked.error()));
  if (!revoked.ok()) return Fail(revoked.error());
  if (common.json) {
    std::printf("%s\n", TokenLine(*revoked).dump(2).c_str());
  } else {
    std::printf("revoked %s (%s)\n", revoked->name.c_str(), revoked->id.c_str());
  }
  return kOk;
}

int ForgetListener(const Common& common, const ForgetFlags& flags) {
  if (!flags.yes) {
    std::fprintf(stderr, "segue: this cannot be undone: '%s' is forgotten with --yes. GET /v1/listeners/{id}/export gives him what there is first.\n",
                 flags.listener.c_str());
    return kUsage;
  }
  auto program = OpenProgram(common, Create::kNo, Voice::kConsole);
  if (!program.ok()) return Fail(program.error());
  const auto forgotten = (*program)->catalog->listeners().Forget(flags.listener, (*program)->clock.NowSeconds());
  Audit(**program, "forget", flags.listener, forgotten.ok() ? Status() : Status(forgotten.error()));
  if (!forgotten.ok()) return Fail(forgotten.error());
  if (common.json) {
    std::printf("%s\n", json{{"listener", flags.listener}, {"at", store::Iso8601(forgotten->tombstone.at)}, {"remains", store::kWhatForgettingLeaves},
                             {"removed", {{"events", forgotten->events}, {"lists", forgotten->lists}}}}.dump(2).c_str());
    return kOk;
  }
  std::printf("forgot %s: %lld events and %lld lists removed\n", flags.listener.c_str(), static_cast<long long>(forgotten->events),
              static_cast<long long>(forgotten->lists));
  std::fprintf(stderr, "%s\nA server that follows this folder starts a run; else `segue run`.\n", std::string(store::kWhatForgettingLeaves).c_str());
  return kOk;
}

int ShowAudit(const Common& common, int64_t n) {
  auto program = OpenProgram(common, Create::kNo, Voice::kConsole);
  if (!program.ok()) return Fail(program.error());
  const auto records = (*program)->catalog->access().Audit(0, n);
  if (!records.ok()) return Fail(records.error());
  json list = json::array();
  for (const auto& record : *records) {
    list.push_back({{"id", record.id}, {"at", store::Iso8601(record.at)}, {"actor", record.actor}, {"action", record.action},
                    {"subject", record.subject}, {"outcome", record.outcome}});
    if (common.json) continue;
    std::printf("%-21s %-16s %-40s %-30s %s\n", store::Iso8601(record.at).c_str(), record.actor.c_str(), record.action.c_str(), record.subject.c_str(),
                record.outcome.c_str());
  }
  if (common.json) std::printf("%s\n", list.dump(2).c_str());
  return kOk;
}

}  // namespace segue::cli
