#include "serve/listen_address.h"

#include <algorithm>
#include <utility>

#include <boost/asio/ip/address.hpp>

namespace segue::serve {

namespace ip = boost::asio::ip;

Result<ListenAddress> ParseListenAddress(const std::string& setting, const std::string& text) {
  const Error wrong{ErrorCode::kInvalid, setting + " is '" + text + "', expected ADDRESS:PORT such as 127.0.0.1:7348"};
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) return wrong;
  std::string host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (host == "localhost") host = "127.0.0.1";
  int64_t port = -1;
  const std::string digits = text.substr(colon + 1);
  if (!digits.empty() && digits.size() < 6 && digits.find_first_not_of("0123456789") == std::string::npos) port = std::stoll(digits);
  boost::system::error_code error;
  ip::make_address(host, error);
  if (error || port < 0 || port > 65535) return wrong;
  return ListenAddress{host, static_cast<uint16_t>(port)};
}

bool IsLoopback(const std::string& address) {
  boost::system::error_code error;
  const auto parsed = ip::make_address(address, error);
  if (error) return false;
  if (parsed.is_v6() && parsed.to_v6().is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, parsed.to_v6()).is_loopback();
  return parsed.is_loopback();
}

Status CheckListenAddresses(const Settings& settings, const store::AccessRecords& records) {
  bool guarded = !settings.token.empty();
  if (!guarded) {
    SEGUE_TRY(const auto tokens, records.Tokens());
    guarded = std::any_of(tokens.begin(), tokens.end(), [](const store::TokenRecord& token) { return token.revoked_at == 0; });
  }
  for (const auto& [setting, text] : {std::pair{"serve.listen", settings.listen}, {"serve.tls_listen", settings.tls_listen}}) {
    if (text.empty()) continue;
    SEGUE_TRY(const ListenAddress address, ParseListenAddress(setting, text));
    if (guarded || IsLoopback(address.host)) continue;
    return Error{ErrorCode::kPermission, std::string(setting) + " is " + text + ", where others would need a token, and there is none: make one "
                                             "(`segue tokens create NAME --role admin`), or listen on 127.0.0.1"};
  }
  return {};
}

}  // namespace segue::serve
