#include "serve/tls.h"

#include <utility>

#include <boost/asio/ssl/context.hpp>

namespace segue::serve {

namespace ssl = boost::asio::ssl;

Result<std::unique_ptr<Certificate>> Certificate::Open(const std::string& certificate, const std::string& key) {
  if (certificate.empty() || key.empty()) {
    return Error{ErrorCode::kInvalid, "serve.tls_listen needs serve.tls_certificate and serve.tls_key, both as PEM files"};
  }
  std::unique_ptr<Certificate> opened(new Certificate(certificate, key));
  SEGUE_RETURN_IF_ERROR(opened->Read());
  return opened;
}

std::shared_ptr<ssl::context> Certificate::Now() const {
  const std::lock_guard lock(mutex_);
  return context_;
}

Certificate::Stamp Certificate::StampNow() const {
  std::error_code missing;
  return {std::filesystem::last_write_time(certificate_, missing), std::filesystem::last_write_time(key_, missing)};
}

bool Certificate::Changed() {
  const Stamp now = StampNow();
  const std::lock_guard lock(mutex_);
  return std::exchange(seen_, now) != now;
}

Status Certificate::Read() {
  const Stamp stamp = StampNow();
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  boost::system::error_code error;
  context->set_options(ssl::context::default_workarounds | ssl::context::no_sslv2 | ssl::context::no_sslv3 | ssl::context::no_tlsv1 |
                           ssl::context::no_tlsv1_1, error);
  if (!error) context->use_certificate_chain_file(certificate_, error);
  if (error) return Error{ErrorCode::kInvalid, "serve.tls_certificate is '" + certificate_ + "', which does not read as PEM: " + error.message()};
  context->use_private_key_file(key_, ssl::context::pem, error);
  if (error) return Error{ErrorCode::kInvalid, "serve.tls_key is '" + key_ + "', which is not the certificate's key in PEM: " + error.message()};
  if (SSL_CTX_check_private_key(context->native_handle()) != 1) {
    return Error{ErrorCode::kInvalid, "serve.tls_key is '" + key_ + "', which is not the key of serve.tls_certificate '" + certificate_ + "'"};
  }
  const std::lock_guard lock(mutex_);
  context_ = std::move(context);
  seen_ = stamp;
  return {};
}

}  // namespace segue::serve
