#pragma once

#include <cstdint>
#include <string>

#include "core/result.h"
#include "core/settings.h"
#include "store/access.h"

namespace segue::serve {

struct ListenAddress {
  std::string host;  ///< an IP address
  uint16_t port = 0;
};

/// "127.0.0.1:7348", "[::1]:0", "localhost:80"; kInvalid names `setting`.
Result<ListenAddress> ParseListenAddress(const std::string& setting, const std::string& text);

/// Of this machine: 127.0.0.0/8, ::1, and the former written as IPv6.
bool IsLoopback(const std::string& address);

/// Addresses that are none, and kPermission where one is not loopback and there
/// is no token that would keep strangers out.
Status CheckListenAddresses(const Settings& settings, const store::AccessRecords& records);

}  // namespace segue::serve
