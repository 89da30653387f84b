#include "http/detail/client_resolver.hpp"

#include <boost/asio/ip/basic_resolver.hpp>

#include <algorithm>
#include <chrono>

namespace troupe::http::detail {

namespace ip = boost::asio::ip;

class resolver::lookup {
public:
  lookup(event_loop::impl& loop, std::string name) : host(std::move(name)), asio(loop.context) {}

  std::string host;
  ip::basic_resolver<ip::tcp, event_loop::impl::executor> asio;
  std::vector<std::shared_ptr<lookup_waiter>> waiters;
};

std::shared_ptr<const address_list> resolver::known(const std::string& host, time_point now) {
  boost::system::error_code error;
  if (const auto address = ip::make_address(host, error); !error)
    return std::make_shared<const address_list>(1, address);
  const auto found = names_.find(host);
  if (found == names_.end())
    return nullptr;
  if (found->second.until > now)
    return found->second.addresses;
  names_.erase(found);
  return nullptr;
}

void resolver::remember(const std::string& host, std::shared_ptr<const address_list> addresses,
                        time_point now) {
  if (names_.size() >= names_max)
    std::erase_if(names_, [now](const auto& entry) { return entry.second.until <= now; });
  if (names_.size() >= names_max)
    names_.erase(names_.begin());
  names_.insert_or_assign(host, name{std::move(addresses), now + remembered_for});
}

std::shared_ptr<resolver::lookup> resolver::ask(const std::string& host,
                                                std::shared_ptr<lookup_waiter> waiter) {
  if (const auto found = questions_.find(host); found != questions_.end()) {
    if (auto running = found->second.lock()) {
      running->waiters.push_back(std::move(waiter));
      return running;
    }
  }
  auto question = std::make_shared<lookup>(loop_, host);
  question->waiters.push_back(std::move(waiter));
  questions_.insert_or_assign(host, question);
  question->asio.async_resolve(
      host, "0", ip::resolver_base::numeric_service,
      [question, &loop = loop_, owner = std::weak_ptr{self_}](
          const boost::system::error_code& error, const ip::tcp::resolver::results_type& results) {
        const handler_scope scope{loop};
        auto addresses = std::make_shared<address_list>();
        for (const auto& entry : results)
          addresses->push_back(entry.endpoint().address());
        if (const auto alive = owner.lock()) {
          (*alive)->questions_.erase(question->host);
          if (!error && !addresses->empty())
            (*alive)->remember(question->host, addresses, std::chrono::steady_clock::now());
        }
        for (const auto& each : std::exchange(question->waiters, {}))
          each->looked_up(error, addresses);
      });
  return question;
}

void resolver::leave(lookup& question, const lookup_waiter& waiter) {
  std::erase_if(question.waiters, [&](const auto& each) { return each.get() == &waiter; });
}

} // namespace troupe::http::detail
