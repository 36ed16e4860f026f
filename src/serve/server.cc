#include "serve/server.h"

#include <utility>

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <thread>

#include <nlohmann/json.hpp>

#include "serve/api.h"
#include "serve/random_id.h"
#include "serve/listen_address.h"
#include "serve/tls.h"

namespace segue::serve {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr auto kIdle = seconds(75);          ///< a kept-alive connection without a request
constexpr auto kLaterLook = milliseconds(10);
constexpr auto kStopPatience = seconds(5);
constexpr auto kCertificateLook = seconds(1);
constexpr uint32_t kMostHeaderBytes = 16 * 1024;
constexpr size_t kUploadBuffer = 256 * 1024;

using RawRequest = http::request<http::string_body>;
using RawResponse = http::response<http::string_body>;
using HeaderParser = http::request_parser<http::empty_body>;

using PlainStream = beast::tcp_stream;
using TlsStream = beast::ssl_stream<beast::tcp_stream>;

class HttpServer final : public Server {
 public:
  explicit HttpServer(const Context& context)
      : context_(context), api_(context), io_(static_cast<int>(context.settings.serve_threads)), acceptor_(asio::make_strand(io_)),
        tls_acceptor_(asio::make_strand(io_)) {}
  ~HttpServer() override { Stop(); }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  segue::Status Open() {
    SEGUE_TRY(port_, Listen(acceptor_, "serve.listen", context_.settings.listen));
    asio::co_spawn(acceptor_.get_executor(), Accept(acceptor_, false), asio::detached);
    if (!context_.settings.tls_listen.empty()) {
      SEGUE_TRY(certificate_, Certificate::Open(context_.settings.tls_certificate, context_.settings.tls_key));
      SEGUE_TRY(tls_port_, Listen(tls_acceptor_, "serve.tls_listen", context_.settings.tls_listen));
      asio::co_spawn(tls_acceptor_.get_executor(), Accept(tls_acceptor_, true), asio::detached);
      asio::co_spawn(tls_acceptor_.get_executor(), FollowCertificate(), asio::detached);
    }
    for (int64_t i = 0; i < context_.settings.serve_threads; ++i) threads_.emplace_back([this] { RunThread(); });
    return {};
  }

  uint16_t port() const override { return port_; }
  uint16_t tls_port() const override { return tls_port_; }

  segue::Status ReadCertificate() override {
    if (certificate_ == nullptr) return {};
    const segue::Status read = certificate_->Read();
    if (read.ok()) context_.instruments.Info("serve", "read the certificate again", {{"file", context_.settings.tls_certificate}});
    return read;
  }

  void Stop() override {
    if (stopping_.exchange(true)) return;
    for (tcp::acceptor* acceptor : {&acceptor_, &tls_acceptor_}) {
      asio::post(acceptor->get_executor(), [acceptor] {
        boost::system::error_code ignored;
        acceptor->close(ignored);
      });
    }
    {
      std::unique_lock lock(busy_mutex_);
      idle_.wait_for(lock, kStopPatience, [this] { return busy_ == 0; });
    }
    io_.stop();
    for (auto& thread : threads_) thread.join();
  }

 private:
  /// Counts a request that is under way: from its headers on to its answer.
  class Busy {
   public:
    explicit Busy(HttpServer& server) : server_(server) {
      const std::lock_guard lock(server_.busy_mutex_);
      ++server_.busy_;
    }
    ~Busy() {
      const std::lock_guard lock(server_.busy_mutex_);
      if (--server_.busy_ == 0) server_.idle_.notify_all();
    }
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;

   private:
    HttpServer& server_;
  };

  void RunThread() {
    while (!io_.stopped()) {
      try {
        io_.run();
      } catch (const std::exception& bug) {
        context_.instruments.Log(LogLevel::kError, "serve", bug.what(), nlohmann::json());
      }
    }
  }

  /// The port.
  Result<uint16_t> Listen(tcp::acceptor& acceptor, const std::string& setting, const std::string& text) const {
    SEGUE_TRY(const ListenAddress address, ParseListenAddress(setting, text));
    const tcp::endpoint endpoint(asio::ip::make_address(address.host), address.port);
    boost::system::error_code error;
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error == asio::error::address_in_use) {
      return Error{ErrorCode::kConflict, "port " + std::to_string(address.port) + " is taken by another program; choose one with " +
                                             (setting == "serve.listen" ? "--listen" : setting) + " ADDRESS:PORT"};
    }
    if (error) return Error{ErrorCode::kIo, "listening on " + text + ": " + error.message()};
    return acceptor.local_endpoint().port();
  }

  asio::awaitable<void> Accept(tcp::acceptor& acceptor, bool tls) {
    while (!stopping_.load()) {
      boost::system::error_code error;
      tcp::socket socket = co_await acceptor.async_accept(asio::make_strand(io_), asio::redirect_error(asio::use_awaitable, error));
      if (error == asio::error::operation_aborted || error == asio::error::bad_descriptor) co_return;
      if (error) {
        // Out of file descriptors, say: others may be given back soon.
        asio::steady_timer pause(acceptor.get_executor(), milliseconds(50));
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
        continue;
      }
      socket.set_option(tcp::no_delay(true), error);
      const auto executor = socket.get_executor();
      if (tls) {
        asio::co_spawn(executor, ConverseSafely(std::move(socket), certificate_->Now()), asio::detached);
      } else {
        asio::co_spawn(executor, ConversePlainly(std::move(socket)), asio::detached);
      }
    }
  }

  asio::awaitable<void> ConversePlainly(tcp::socket socket) {
    PlainStream stream(std::move(socket));
    co_await Converse(stream);
    boost::system::error_code ignored;
    stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
  }

  /// `context` lives as long as the conversation, also when the certificate is changed meanwhile.
  asio::awaitable<void> ConverseSafely(tcp::socket socket, std::shared_ptr<asio::ssl::context> context) {
    TlsStream stream(std::move(socket), *context);
    const auto patience = seconds(context_.settings.request_timeout_s);
    boost::system::error_code error;
    beast::get_lowest_layer(stream).expires_after(patience);
    co_await stream.async_handshake(asio::ssl::stream_base::server, asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    co_await Converse(stream);
    beast::get_lowest_layer(stream).expires_after(patience);
    co_await stream.async_shutdown(asio::redirect_error(asio::use_awaitable, error));
  }

  asio::awaitable<void> FollowCertificate() {
    asio::steady_timer pause(co_await asio::this_coro::executor);
    while (!stopping_.load()) {
      boost::system::error_code error;
      pause.expires_after(kCertificateLook);
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
      if (!certificate_->Changed()) continue;
      // Half written, say: the next change is looked at again.
      if (const segue::Status read = ReadCertificate(); !read.ok()) context_.instruments.Warn("serve", "the certificate before goes on: " + read.error().message);
    }
  }

  /// One connection, request by request.
  template <typename Stream>
  asio::awaitable<void> Converse(Stream& stream) {
    beast::flat_buffer buffer;
    bool go_on = true;
    while (go_on && !stopping_.load()) {
      // Idle time is not the client's slowness: the clock starts at the first byte.
      if (buffer.size() == 0) {
        beast::get_lowest_layer(stream).expires_after(kIdle);
        boost::system::error_code error;
        const size_t read = co_await stream.async_read_some(buffer.prepare(4096), asio::redirect_error(asio::use_awaitable, error));
        if (error) break;
        buffer.commit(read);
      }
      go_on = co_await OneRequest(stream, buffer);
    }
  }

  template <typename Stream>
  asio::awaitable<bool> OneRequest(Stream& stream, beast::flat_buffer& buffer) {
    beast::get_lowest_layer(stream).expires_after(seconds(context_.settings.request_timeout_s));
    const auto start = steady_clock::now();
    HeaderParser header;
    header.header_limit(kMostHeaderBytes);
    // The body has a limit of its own, once its kind is known.
    header.body_limit(std::numeric_limits<uint64_t>::max());
    boost::system::error_code error;
    co_await http::async_read_header(stream, buffer, header, asio::redirect_error(asio::use_awaitable, error));
    if (error == http::error::end_of_stream) co_return false;
    const Busy busy(*this);
    Request request;
    request.id = std::string(header.get()["X-Request-Id"]);
    if (!IsRequestId(request.id)) request.id = RandomHex();
    if (error) {
      if (error == beast::error::timeout || !beast::get_lowest_layer(stream).socket().is_open()) co_return false;
      const Response response = error == http::error::header_limit
                                    ? Problem(431, "Headers too large", "the headers have more than 16 KiB")
                                    : Problem(400, "Bad request", "this is not HTTP: " + error.message());
      co_return co_await Answer(stream, request, response, start, 11, false);
    }
    const auto& head = header.get();
    const unsigned version = head.version();
    request.method = std::string(head.method_string());
    request.authorization = std::string(head[http::field::authorization]);
    request.signature = std::string(head["X-Segue-Signature"]);
    request.api_key = std::string(head["X-API-Key"]);
    request.api_version = std::string(head["X-API-Version"]);
    request.if_none_match = std::string(head[http::field::if_none_match]);
    request.accept = std::string(head[http::field::accept]);
    request.content_type = std::string(head[http::field::content_type]);
    request.host = std::string(head[http::field::host]);
    request.origin = std::string(head[http::field::origin]);
    request.tls = std::is_same_v<Stream, TlsStream>;
    const auto peer = beast::get_lowest_layer(stream).socket().remote_endpoint(error).address();
    request.address = peer.to_string();
    request.loopback = !error && IsLoopback(request.address);
    if (const segue::Status parsed = ParseTarget({head.target().data(), head.target().size()}, request); !parsed.ok()) {
      co_return co_await Answer(stream, request, ProblemOf(parsed.error()), start, version, false);
    }
    request.route = Api::RouteOf(request);
    api_.Meet(request);
    if (beast::iequals(head[http::field::expect], "100-continue")) {
      RawResponse go(http::status::continue_, version);
      co_await http::async_write(stream, go, asio::redirect_error(asio::use_awaitable, error));
      if (error) co_return false;
    }
    const bool keep = head.keep_alive();
    if (request.method == "PUT" && request.path.size() >= 3 && request.path[0] == "v1" && request.path[1] == "inbox") {
      co_return co_await Upload(stream, buffer, header, request, start, version, keep);
    }
    const uint64_t limit = api_.BodyLimit(request);
    const Response large = Problem(413, "Body too large", "a body may have at most " + std::to_string(limit) +
                                                              " bytes here; files go to PUT /v1/inbox/{name}");
    if (Announced(header) > limit) co_return co_await Answer(stream, request, large, start, version, false);
    http::request_parser<http::string_body> parser(std::move(header));
    parser.body_limit(limit);
    co_await http::async_read(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
    if (error == http::error::body_limit) co_return co_await Answer(stream, request, large, start, version, false);
    if (error == beast::error::timeout) co_return TooSlow(request, start);
    if (error) co_return co_await Answer(stream, request, Problem(400, "Bad request", "the body cannot be read: " + error.message()), start, version, false);
    request.body = std::move(parser.get().body());
    co_return co_await Answer(stream, request, co_await Think(request), start, version, keep);
  }

  /// tcp_stream closes the socket at a timeout; nothing can be said any more.
  bool TooSlow(const Request& request, steady_clock::time_point start) {
    api_.Note(request, 408, Microseconds(start), 0);
    return false;
  }

  /// The answer; a bug is a 500, and the program runs on.
  asio::awaitable<Response> Think(const Request& request) {
    Response response = Guarded(request.id, [&] { return api_.Handle(request); });
    while (response.later) {
      asio::steady_timer pause(co_await asio::this_coro::executor, kLaterLook);
      boost::system::error_code error;
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
      const auto later = response.later;
      response = Guarded(request.id, [&]() -> Response {
        auto answer = later();
        if (answer) return *std::move(answer);
        Response wait;
        wait.later = later;
        return wait;
      });
    }
    co_return response;
  }

  template <typename Body>
  Response Guarded(const std::string& id, const Body& body) {
    try {
      return body();
    } catch (const std::exception& bug) {
      context_.instruments.Log(LogLevel::kError, "serve", bug.what(), {{"request_id", id}});
      return Problem(500, "A bug", "this should not have happened; the log has it under request " + id);
    }
  }

  /// A file on its way into the inbox, through the scratch folder.
  template <typename Stream>
  asio::awaitable<bool> Upload(Stream& stream, beast::flat_buffer& buffer, HeaderParser& header,
                               const Request& request, steady_clock::time_point start, unsigned version, bool keep) {
    if (const auto refusal = api_.Refusal(request)) co_return co_await Answer(stream, request, *refusal, start, version, false);
    const auto key = api_.InboxKey(request);
    if (!key.ok()) co_return co_await Answer(stream, request, ProblemOf(key.error()), start, version, false);
    const auto scratch = context_.bucket.ScratchFolder() / ("upload-" + RandomHex());
    const Response received = co_await Receive(stream, buffer, header, scratch);
    if (received.status != 200) {
      std::error_code ignored;
      std::filesystem::remove(scratch, ignored);
      co_return co_await Answer(stream, request, received, start, version, false);
    }
    const Response response = Guarded(request.id, [&] { return api_.AcceptUpload(*key, scratch); });
    std::error_code ignored;
    std::filesystem::remove(scratch, ignored);
    co_return co_await Answer(stream, request, response, start, version, keep);
  }

  /// Status 200: the whole body is in `scratch`.
  template <typename Stream>
  asio::awaitable<Response> Receive(Stream& stream, beast::flat_buffer& buffer, HeaderParser& header,
                                    const std::filesystem::path& scratch) {
    const auto limit = static_cast<uint64_t>(context_.settings.max_upload_bytes);
    const Response large = Problem(413, "Body too large", "an upload may have at most " + std::to_string(limit) + " bytes");
    if (Announced(header) > limit) co_return large;
    http::request_parser<http::buffer_body> parser(std::move(header));
    parser.body_limit(limit);
    auto writer = store::RealFileSystem().Create(scratch);
    if (!writer.ok()) co_return ProblemOf(writer.error());
    std::vector<char> block(kUploadBuffer);
    while (!parser.is_done()) {
      parser.get().body().data = block.data();
      parser.get().body().size = block.size();
      // Each block has the time of a request: an upload may be long, not stuck.
      beast::get_lowest_layer(stream).expires_after(seconds(context_.settings.request_timeout_s));
      boost::system::error_code error;
      co_await http::async_read(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
      if (error == http::error::need_buffer) error = {};
      if (error == http::error::body_limit) co_return large;
      if (error) co_return Problem(400, "Bad request", "the upload broke off: " + error.message());
      const auto written = (*writer)->Append({block.data(), block.size() - parser.get().body().size});
      if (!written.ok()) co_return ProblemOf(written.error());
    }
    co_return Response{};
  }

  /// The body's size as the headers tell it; 0 where they do not (chunked).
  static uint64_t Announced(const HeaderParser& header) { return header.content_length().value_or(0); }

  static uint64_t Microseconds(steady_clock::time_point start) {
    return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - start).count());
  }

  /// False: the connection ends.
  template <typename Stream>
  asio::awaitable<bool> Answer(Stream& stream, const Request& request, Response response,
                               steady_clock::time_point start, unsigned version, bool keep) {
    keep = keep && !stopping_.load();
    NameInstance(response, request);
    api_.Finish(request, response);
    RawResponse raw(static_cast<http::status>(response.status), version);
    raw.set(http::field::content_type, response.type);
    raw.set("X-Request-Id", request.id);
    raw.set("X-Content-Type-Options", "nosniff");
    if (!response.allow.empty()) raw.set(http::field::allow, response.allow);
    if (response.status == 401) raw.set(http::field::www_authenticate, "Bearer");
    for (const auto& [name, value] : response.headers) raw.set(name, value);
    raw.keep_alive(keep);
    const bool head_only = request.method == "HEAD";
    const size_t length = response.body.size();
    if (!head_only) raw.body() = std::move(response.body);
    raw.prepare_payload();
    if (head_only) raw.set(http::field::content_length, std::to_string(length));
    // Before it is sent: who has an answer finds it counted.
    api_.Note(request, response.status, Microseconds(start), length);
    beast::get_lowest_layer(stream).expires_after(seconds(context_.settings.request_timeout_s));
    boost::system::error_code error;
    if (head_only) {
      http::response_serializer<http::string_body> serializer(raw);
      co_await http::async_write_header(stream, serializer, asio::redirect_error(asio::use_awaitable, error));
    } else {
      co_await http::async_write(stream, raw, asio::redirect_error(asio::use_awaitable, error));
    }
    co_return !error && keep;
  }

  // io_ frees the conversations that Stop cut off, and those use what is above it.
  Context context_;
  Api api_;
  std::atomic<bool> stopping_{false};
  std::mutex busy_mutex_;
  std::condition_variable idle_;
  int64_t busy_ = 0;
  uint16_t port_ = 0, tls_port_ = 0;
  std::unique_ptr<Certificate> certificate_;  // null without TLS
  asio::io_context io_;
  tcp::acceptor acceptor_, tls_acceptor_;
  std::vector<std::thread> threads_;
};

}  // namespace

Result<std::unique_ptr<Server>> Start(const Context& context) {
  SEGUE_RETURN_IF_ERROR(CheckListenAddresses(context.settings, context.catalog.access()));
  auto server = std::make_unique<HttpServer>(context);
  SEGUE_RETURN_IF_ERROR(server->Open());
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace segue::serve
