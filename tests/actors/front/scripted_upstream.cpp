#include "tests/actors/front/scripted_upstream.hpp"

#include "tests/actors/on_loop.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <utility>

namespace troupe {

scripted_upstream::scripted_upstream(std::string name, std::vector<std::string> models)
    : name_(std::move(name)), models_(std::move(models)), thread_([this] { loop_.run(); }) {
  http::server_options options;
  options.port = 0;
  auto started = http::server::start(options, log_, {&loop_}, {this});
  if (!started) {
    ADD_FAILURE() << started.error().text;
    std::abort();
  }
  server_ = *std::move(started);
}

scripted_upstream::~scripted_upstream() {
  end_streams();
  server_.reset();
  loop_.stop();
  thread_.join();
}

void scripted_upstream::end_streams() {
  call_on(loop_, [this] {
    for (const auto waiting : std::exchange(held_, {}))
      waiting.resume();
  });
}

std::string scripted_upstream::event(bool last) const {
  std::string text = R"({"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":")";
  text += name_;
  text += last ? R"( ends"}]},"finishReason":"STOP"}]})" : R"( begins"}]}}]})";
  return text;
}

http::task<void> scripted_upstream::stream(http::exchange& x) {
  const http::response_head head(200, "text/event-stream");
  const auto first = "data: " + event(false) + "\r\n\r\n";
  const auto last = "data: " + event(true) + "\r\n\r\n";
  co_await x.start(head);
  co_await x.write(first);
  hold until_told{*this};
  co_await until_told;
  co_await x.write(last);
  co_await x.finish();
}

http::task<void> scripted_upstream::serve(http::exchange& x) {
  if (x.req().path.ends_with(":streamGenerateContent")) {
    co_await stream(x);
    co_return;
  }
  const http::response_head head(200, "application/json");
  auto body = event(true);
  if (x.req().method == "GET") {
    body = R"({"models":[)";
    for (const auto& model : models_) {
      body += body.ends_with('[') ? "" : ",";
      body +=
          R"({"name":"models/)" + model + R"(","supportedGenerationMethods":["generateContent"]})";
    }
    body += "]}";
  }
  co_await x.respond(head, body);
}

std::pair<http::response_head, std::string> scripted_upstream::refuse(const http::refusal& r) {
  return {http::response_head(r.status, "text/plain"), std::string{r.reason}};
}

} // namespace troupe
