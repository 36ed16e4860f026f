#include "store/record_cutter.h"

#include <algorithm>
#include <cstring>

namespace segue::store {
namespace {

std::string_view WithoutReturn(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

size_t Sweep::Find(char c, size_t from) const {
  for (size_t at = from; at < bytes_.size(); at += kPiece) {
    const std::string_view piece = bytes_.substr(at, kPiece);
    const void* found = std::memchr(piece.data(), c, piece.size());
    if (found != nullptr) return static_cast<size_t>(static_cast<const char*>(found) - bytes_.data());
    if (forget_ != nullptr) forget_(piece);
  }
  return bytes_.size();
}

int64_t Sweep::Count(char c, size_t from, size_t to) const {
  int64_t count = 0;
  for (size_t at = from; at < to; at += kPiece) {
    const std::string_view piece = bytes_.substr(at, std::min(kPiece, to - at));
    count += std::count(piece.begin(), piece.end(), c);
    if (piece.size() == kPiece && forget_ != nullptr) forget_(piece);
  }
  return count;
}

Cutter::Got Cutter::Next() {
  while (at_ < bytes_.size()) {
    line_ = next_line_;
    record_begin_ = at_;
    const size_t end = LineEnd(at_);
    if (end - at_ > longest_) {
      raw_ = bytes_.substr(at_, longest_);
      MoveTo(end + 1, 1);
      return Got::kTooLong;
    }
    const std::string_view line = WithoutReturn(bytes_.substr(at_, end - at_));
    if (line.empty()) {
      MoveTo(end + 1, 1);
      continue;
    }
    fields_.clear();
    arena_.clear();
    const bool quoted = std::memchr(line.data(), '"', line.size()) != nullptr;
    if (quoted && delimiter_.quotes_span_lines && Quoted()) return Got::kRecord;
    fields_.clear();
    quoted ? Lenient(line) : Plain(line);
    raw_ = line;
    MoveTo(end + 1, 1);
    return Got::kRecord;
  }
  return Got::kEnd;
}

void Cutter::MoveTo(size_t at, int64_t lines) {
  at_ = std::min(at, bytes_.size());
  sweep_.Reached(record_begin_);
  next_line_ += lines;
}

void Cutter::Plain(std::string_view line) {
  while (true) {
    const size_t cut = delimiter_.text.empty() ? std::string_view::npos : line.find(delimiter_.text);
    fields_.emplace_back(line.substr(0, cut));
    if (cut == std::string_view::npos) return;
    line.remove_prefix(cut + delimiter_.text.size());
  }
}

std::string_view Cutter::Unquoted(std::string_view text) {
  if (text.find('"') == std::string_view::npos) return text;
  std::string& plain = arena_.emplace_back();
  for (size_t i = 0; i < text.size(); ++i) {
    plain += text[i];
    if (text[i] == '"') ++i;
  }
  return plain;
}

size_t Cutter::ClosingQuote(size_t open, size_t limit) const {
  size_t at = open + 1;
  while (at < limit) {
    const void* found = std::memchr(bytes_.data() + at, '"', limit - at);
    if (found == nullptr) break;
    at = static_cast<size_t>(static_cast<const char*>(found) - bytes_.data());
    if (at + 1 >= limit || bytes_[at + 1] != '"') return at;
    at += 2;
  }
  return std::string_view::npos;
}

bool Cutter::Quoted() {
  if (!spanning_) return false;
  const size_t limit = std::min(bytes_.size(), at_ + longest_);
  size_t at = at_;
  while (true) {
    size_t end = 0;  // of the field
    if (at < limit && bytes_[at] == '"') {
      const size_t close = ClosingQuote(at, limit);
      if (close == std::string_view::npos) {
        // Each further record would search as far again: from here on, line by line.
        spanning_ = false;
        return false;
      }
      fields_.emplace_back(Unquoted(bytes_.substr(at + 1, close - at - 1)));
      end = close + 1;
      if (end < bytes_.size() && bytes_[end] == '\r' && (end + 1 == bytes_.size() || bytes_[end + 1] == '\n')) ++end;
    } else {
      const size_t line_end = LineEnd(at);
      end = std::min(bytes_.substr(0, line_end).find(delimiter_.text, at), line_end);
      fields_.emplace_back(WithoutReturn(bytes_.substr(at, end - at)));
    }
    if (end >= bytes_.size() || bytes_[end] == line_end_) {
      raw_ = bytes_.substr(at_, end - at_);
      MoveTo(end + 1, 1 + std::count(raw_.begin(), raw_.end(), line_end_));
      return true;
    }
    if (!bytes_.substr(end).starts_with(delimiter_.text)) return false;
    at = end + delimiter_.text.size();
    if (fields_.size() > kMostColumns) return false;
  }
}

void Cutter::Lenient(std::string_view line) {
  const auto begin = static_cast<size_t>(line.data() - bytes_.data());
  const size_t limit = begin + line.size();
  size_t at = begin;
  while (true) {
    if (at < limit && bytes_[at] == '"') {
      const size_t close = ClosingQuote(at, limit);
      const bool encloses = close != std::string_view::npos &&
                            (close + 1 == limit || bytes_.substr(close + 1, limit - close - 1).starts_with(delimiter_.text));
      if (encloses && !delimiter_.text.empty()) {
        fields_.emplace_back(Unquoted(bytes_.substr(at + 1, close - at - 1)));
        if (close + 1 == limit) return;
        at = close + 1 + delimiter_.text.size();
        continue;
      }
    }
    const size_t cut = delimiter_.text.empty() ? std::string_view::npos : bytes_.substr(0, limit).find(delimiter_.text, at);
    fields_.emplace_back(bytes_.substr(at, std::min(cut, limit) - at));
    if (cut == std::string_view::npos) return;
    at = cut + delimiter_.text.size();
  }
}

}  // namespace segue::store
