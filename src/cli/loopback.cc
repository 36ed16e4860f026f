#include "cli/loopback.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

namespace segue::cli {
namespace {

struct Socket {
  int descriptor = -1;
  ~Socket() {
    if (descriptor >= 0) ::close(descriptor);
  }
};

Error Nobody(const std::string& address) {
  return {ErrorCode::kUnavailable, "nobody answers on http://" + address};
}

Status Connect(const std::string& address, int timeout_s, Socket& socket) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) return Error{ErrorCode::kInvalid, "'" + address + "' is not ADDRESS:PORT"};
  std::string host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), address.c_str() + colon + 1, &hints, &found) != 0) return Nobody(address);
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  socket.descriptor = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval timeout{timeout_s, 0};
  ::setsockopt(socket.descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  ::setsockopt(socket.descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  if (::connect(socket.descriptor, found->ai_addr, found->ai_addrlen) != 0) return Nobody(address);
  return {};
}

}  // namespace

Result<Reply> GetFrom(const std::string& address, const std::string& path, const std::string& token,
                      int timeout_s) {
  Socket socket;
  SEGUE_RETURN_IF_ERROR(Connect(address, timeout_s, socket));
  // HTTP/1.0: the answer ends where the connection does.
  std::string request = "GET " + path + " HTTP/1.0\r\nHost: " + address + "\r\n";
  if (!token.empty()) request += "Authorization: Bearer " + token + "\r\n";
  request += "\r\n";
  if (::send(socket.descriptor, request.data(), request.size(), MSG_NOSIGNAL) < 0) return Nobody(address);
  std::string answer;
  char buffer[16384];
  for (ssize_t size = 0; (size = ::recv(socket.descriptor, buffer, sizeof buffer, 0)) > 0;) {
    answer.append(buffer, static_cast<size_t>(size));
  }
  const size_t body = answer.find("\r\n\r\n");
  if (!answer.starts_with("HTTP/1.") || body == std::string::npos) return Nobody(address);
  return Reply{std::atoi(answer.c_str() + 9), answer.substr(body + 4)};
}

}  // namespace segue::cli
