#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace segue {

/// A broken assumption of ours: a bug, never a user's mistake. Thrown by CHECK;
/// caught only by pipeline/ (the stage fails) and the request loop (a 500).
class Bug : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

[[noreturn]] void FailCheck(const char* condition, const char* file, int line,
                            std::string_view detail = {});

}  // namespace segue

#define SEGUE_CHECK(condition)                                        \
  do {                                                                \
    if (!(condition)) ::segue::FailCheck(#condition, __FILE__, __LINE__); \
  } while (false)
