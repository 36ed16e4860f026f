#include "train/member_list.h"

#include "train/trainer.h"

namespace segue::train {

std::vector<std::string> SplitList(std::string_view text, char separator) {
  std::vector<std::string> parts(1);
  int depth = 0;
  for (const char c : text) {
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (c == separator && depth == 0) {
      parts.emplace_back();
    } else if (c != ' ') {
      parts.back() += c;
    }
  }
  std::erase(parts, "");
  return parts;
}

Result<ListedMember> ReadMember(const std::string& text, const Settings& settings) {
  ListedMember member{text, text.substr(0, text.find('(')), settings};
  if (member.algorithm == text) return member;
  if (text.back() != ')') return Error{ErrorCode::kInvalid, "'" + text + "' lacks its closing bracket"};
  const size_t open = member.algorithm.size();
  for (const std::string& assignment : SplitList(std::string_view(text).substr(open + 1, text.size() - open - 2), ';')) {
    const size_t equals = assignment.find('=');
    if (equals == std::string::npos) return Error{ErrorCode::kInvalid, "'" + text + "': expected KEY=VALUE in the brackets"};
    SEGUE_RETURN_IF_ERROR(SetFor(member.settings, member.algorithm, assignment.substr(0, equals), assignment.substr(equals + 1)));
  }
  return member;
}

}  // namespace segue::train
