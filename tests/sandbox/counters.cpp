#include "sandbox/counters.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <vector>

namespace sandbox {

void count(std::map<std::string, std::uint64_t, std::less<>>& in, std::string_view word) {
  if (const auto found = in.find(word); found != in.end())
    ++found->second;
  else
    in.emplace(word, 1);
}

const std::shared_ptr<tallies>& counters::of(std::string_view key, std::string_view model) {
  lookup_.assign(key);
  lookup_ += '\n';
  lookup_ += model;
  if (const auto found = all_.find(lookup_); found != all_.end())
    return found->second;
  if (all_.size() >= pairs_max)
    lookup_ = "(others)\n";
  auto& t = all_[lookup_];
  if (!t) {
    t = std::make_shared<tallies>();
    const auto line = lookup_.find('\n');
    t->key = lookup_.substr(0, line);
    t->model = lookup_.substr(line + 1);
  }
  return t;
}

void counters::arrived(tallies& t, const char* method, std::string_view source, instant when) {
  ++t.arrivals;
  count(t.methods, method);
  const bool known = t.sources.size() < sources_max || t.sources.contains(source);
  count(t.sources, known ? source : "(others)");
  t.in_flight_max = std::max(t.in_flight_max, ++t.in_flight);
  if (times_max_ == 0)
    return;
  if (t.times.size() >= times_max_)
    t.times.pop_front();
  t.times.push_back(when);
}

json counters::report(std::string_view key, bool with_times) const {
  std::vector<const tallies*> sorted;
  for (const auto& [name, t] : all_)
    if (key.empty() || t->key == key)
      sorted.push_back(t.get());
  std::sort(sorted.begin(), sorted.end(), [](const tallies* a, const tallies* b) {
    return std::tie(a->key, a->model) < std::tie(b->key, b->model);
  });
  json list = json::array();
  for (const auto* t : sorted) {
    json one = {{"key", t->key},
                {"model", t->model},
                {"arrivals", t->arrivals},
                {"in_flight", t->in_flight},
                {"in_flight_max", t->in_flight_max},
                {"client_left", t->client_left},
                {"broken", t->broken},
                {"prompt_tokens", t->prompt_tokens},
                {"cached_tokens", t->cached_tokens},
                {"output_tokens", t->output_tokens},
                {"methods", t->methods},
                {"answers", t->answers},
                {"sources", t->sources},
                {"scripted", t->scripted}};
    if (with_times) {
      json times = json::array();
      for (const auto at : t->times)
        times.push_back(as_unix_ms(at));
      one["arrival_times_ms"] = std::move(times);
    }
    list.push_back(std::move(one));
  }
  return list;
}

} // namespace sandbox
