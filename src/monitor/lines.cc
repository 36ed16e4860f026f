#include "monitor/lines.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "core/text.h"
#include "store/clock.h"

namespace segue::monitor {

std::string Timestamp(int64_t unix_ms) {
  const int64_t ms = ((unix_ms % 1000) + 1000) % 1000;
  std::string text = store::Iso8601((unix_ms - ms) / 1000);
  char fraction[8];
  std::snprintf(fraction, sizeof fraction, ".%03d", static_cast<int>(ms));
  text.insert(text.size() - 1, fraction);  // before the Z
  return text;
}

std::string Printable(std::string_view text, bool newlines) {
  std::string out(text);
  for (char& c : out) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n' || c == '\t') {
      if (c == '\t' || !newlines) c = ' ';
    } else if (byte < 0x20 || byte == 0x7f) {
      c = '?';
    }
  }
  return out;
}

std::string FieldsOnOneLine(const nlohmann::json& fields) {
  std::string out;
  if (!fields.is_object()) return out;
  for (const auto& [name, value] : fields.items()) {
    out += " " + name + "=";
    const bool plain = value.is_string() && value.get_ref<const std::string&>().find_first_of(" \"=\n") == std::string::npos;
    out += plain ? value.get<std::string>() : value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
  return Printable(out, false);
}

std::string ProgressLine(std::string_view stage, uint64_t done, uint64_t total, std::string_view unit, int columns) {
  const size_t width = static_cast<size_t>(std::max(columns, 20));
  std::string line = Printable(stage, false) + "  ";
  if (total > 0) {
    const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
    constexpr size_t kBar = 20;
    const auto filled = static_cast<size_t>(share * kBar);
    char percent[8];
    std::snprintf(percent, sizeof percent, "%3d%%", static_cast<int>(share * 100));
    line += "[" + std::string(filled, '#') + std::string(kBar - filled, '.') + "] " + percent + "  " +
            WithCommas(done) + " of " + WithCommas(total);
  } else {
    line += WithCommas(done);
  }
  line += " " + Printable(unit, false);
  if (line.size() > width) line.resize(width);
  return line;
}

bool WriteAll(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace segue::monitor
