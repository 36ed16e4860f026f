#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "core/result.h"

namespace boost::asio::ssl {
class context;
}

namespace segue::serve {

/// A certificate with its key, as they lie in two PEM files. Thread-safe.
class Certificate {
 public:
  /// kInvalid where one of the files is not named, does not read, or does not fit the other.
  static Result<std::unique_ptr<Certificate>> Open(const std::string& certificate, const std::string& key);

  /// What new connections use; those under way keep theirs.
  std::shared_ptr<boost::asio::ssl::context> Now() const;

  /// Have the files changed since they were last looked at?
  bool Changed();
  /// Reads the files again; where they do not fit, what was there before stays.
  Status Read();

 private:
  using Stamp = std::pair<std::filesystem::file_time_type, std::filesystem::file_time_type>;
  Certificate(std::string certificate, std::string key) : certificate_(std::move(certificate)), key_(std::move(key)) {}
  Stamp StampNow() const;

  const std::string certificate_, key_;
  mutable std::mutex mutex_;
  std::shared_ptr<boost::asio::ssl::context> context_;
  Stamp seen_;
};

}  // namespace segue::serve
