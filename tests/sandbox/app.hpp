#pragma once

#include "sandbox/exchange.hpp"
#include "sandbox/surface.hpp"
#include "sandbox/world.hpp"

#include <atomic>

namespace sandbox {

/// The fake upstream itself: finds out what is asked, lets the world decide,
/// answers. Thread-safe.
class app : public application {
public:
  reply answer(const request& r, std::string& out) override;
  void connection_opened() override { world_.connection_opened(); }
  void connection_closed() override { world_.connection_closed(); }

  world& inside() { return world_; }

private:
  reply api(const request& r, call& c, std::string& out);
  reply fixed_at_once(const request& r, const call& c, const verdict& v, std::string& out);
  sandbox::answer say(call& c, const verdict& v);

  world world_;
  std::atomic<std::uint64_t> calls_{0};
};

/// What a request line asks for; nothing when it is no path of any dialect.
std::optional<call> read_call(const request& r);

} // namespace sandbox
