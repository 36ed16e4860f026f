#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "core/check.h"

namespace segue {

/// Why something that can be expected to fail did fail. Callers branch on the
/// code; people read the message, which says what, where, the numbers, and the
/// next step.
enum class ErrorCode {
  kInvalid,      ///< the input is wrong: a field, a flag, a body
  kNotFound,     ///< no such object, id or file
  kCorrupt,      ///< bytes are damaged, cut short or of a newer version
  kIo,           ///< the operating system refused
  kNoSpace,      ///< the disk is full
  kPermission,   ///< no right to read or write
  kConflict,     ///< the state does not allow it now
  kCancelled,    ///< asked to stop
  kUnavailable,  ///< try again later
};

/// The code's stable name, as logs and JSON show it: "invalid", "no_space"...
std::string_view Name(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::kInvalid;
  std::string message;

  /// The same error with what was being done put in front: "clean: reading x: ...".
  Error In(std::string_view doing) const;
};

/// A value, or the Error that stands in its place. Must be looked at.
/// Reading the value of a failed Result is a bug (CHECK).
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& operator*() & { Expect(); return std::get<0>(state_); }
  const T& operator*() const& { Expect(); return std::get<0>(state_); }
  /// By value: what `for (auto& x : *F())` iterates must outlive the Result.
  T operator*() && { Expect(); return std::get<0>(std::move(state_)); }
  T* operator->() { Expect(); return &std::get<0>(state_); }
  const T* operator->() const { Expect(); return &std::get<0>(state_); }

  const Error& error() const { return std::get<1>(state_); }

 private:
  void Expect() const {
    if (!ok()) FailCheck("result holds a value", __FILE__, __LINE__, error().message);
  }
  std::variant<T, Error> state_;
};

/// Success, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const { return *error_; }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace segue

#define SEGUE_CONCAT_INNER(a, b) a##b
#define SEGUE_CONCAT(a, b) SEGUE_CONCAT_INNER(a, b)

/// Returns the error of `expr` (a Result of any kind) from this function, if it has one.
#define SEGUE_RETURN_IF_ERROR(expr) \
  SEGUE_RETURN_IF_ERROR_INNER(SEGUE_CONCAT(segue_status_, __COUNTER__), expr)
#define SEGUE_RETURN_IF_ERROR_INNER(status, expr)    \
  do {                                               \
    if (auto status = (expr); !status.ok()) {        \
      return status.error();                         \
    }                                                \
  } while (false)

/// `SEGUE_TRY(auto rows, ReadRows(path));`: the value, or return its error.
#define SEGUE_TRY(declaration, expr) \
  SEGUE_TRY_INNER(SEGUE_CONCAT(segue_result_, __COUNTER__), declaration, expr)
#define SEGUE_TRY_INNER(result, declaration, expr) \
  auto result = (expr);                            \
  if (!result.ok()) return result.error();         \
  declaration = std::move(*result)
