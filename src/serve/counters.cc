#include "serve/counters.h"

#include <algorithm>
#include <charconv>
#include <string>

namespace segue::serve {
namespace {

std::string_view Shown(std::string_view route) { return route.empty() ? "none" : route; }

std::string Seconds(uint64_t microseconds) {
  char text[32];
  const auto [end, error] = std::to_chars(text, text + sizeof text, static_cast<double>(microseconds) / 1e6);
  return {text, end};
}

}  // namespace

void Counters::Note(std::string_view route, int status, uint64_t microseconds) {
  const auto bucket = std::lower_bound(kBounds.begin(), kBounds.end(), microseconds) - kBounds.begin();
  const std::lock_guard lock(mutex_);
  ++requests_[{route, status}];
  Latency& latency = latency_[route];
  ++latency.counts[static_cast<size_t>(bucket)];
  latency.sum_us += microseconds;
}

void Counters::Expose(PrometheusText& out) const {
  out.One("segue_lists_total", "counter", "Recommendation lists given.", static_cast<double>(lists.load()));
  out.One("segue_events_total", "counter", "Feedback events accepted.", static_cast<double>(events.load()));
  const std::lock_guard lock(mutex_);
  out.Family("segue_requests_total", "counter", "Requests answered.");
  for (const auto& [what, count] : requests_) {
    out.Sample(static_cast<double>(count), {{"route", Shown(what.first)}, {"status", std::to_string(what.second)}});
  }
  out.Family("segue_request_seconds", "histogram", "Time to answer a request.");
  for (const auto& [route, latency] : latency_) {
    uint64_t sum = 0;
    for (size_t i = 0; i < latency.counts.size(); ++i) {
      sum += latency.counts[i];
      const std::string bound = i < kBounds.size() ? Seconds(kBounds[i]) : "+Inf";
      out.Sample(static_cast<double>(sum), {{"route", Shown(route)}, {"le", bound}}, "_bucket");
    }
    out.Sample(static_cast<double>(latency.sum_us) / 1e6, {{"route", Shown(route)}}, "_sum");
    out.Sample(static_cast<double>(sum), {{"route", Shown(route)}}, "_count");
  }
}

}  // namespace segue::serve
