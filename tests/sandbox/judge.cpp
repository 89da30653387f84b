#include "sandbox/judge.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace sandbox {

namespace {

std::string place_of(std::string_view key, std::string_view model) {
  std::string s{key};
  s += '\n';
  s += model;
  return s;
}

double ms_of(duration d) {
  return static_cast<double>(d.count()) / 1e6;
}

} // namespace

judge::judge() : judge(options{}) {}

judge::judge(options o) : options_(o) {}

void judge::clear() {
  *this = judge{options_};
}

void judge::arrived(const std::vector<applied_limit>& limits, std::string_view key,
                    std::string_view model, instant t) {
  for (const auto& l : limits)
    check_limit(l, key, model, t);
  check_early(key, model, t);
}

void judge::check_limit(const applied_limit& l, std::string_view key, std::string_view model,
                        instant t) {
  auto& w = watches_[l.domain];
  w.limit = l;
  if (l.until_midnight) {
    if (t >= w.day_ends) {
      w.seen.clear();
      w.day_begins = t;
      w.day_ends = next_pacific_midnight(t);
    }
  } else {
    // The window is half open: what arrived exactly one window ago is outside.
    const auto still_in = std::upper_bound(w.seen.begin(), w.seen.end(), t - l.window);
    w.seen.erase(w.seen.begin(), still_in);
  }
  if (w.seen.size() >= options_.window_arrivals_max) {
    w.seen.pop_front();
    w.blind = true;
  }
  w.seen.push_back(t);
  ++w.arrivals;
  w.most = std::max<std::uint64_t>(w.most, w.seen.size());
  if (w.seen.size() <= l.requests)
    return;
  ++w.violations;
  if (key == planted_key) {
    ++planted_violations_.found;
    return;
  }
  ++violations_;
  note({{"kind", "violation"},
        {"domain", l.domain},
        {"key", key},
        {"model", model},
        {"allowed", l.requests},
        {"in_window", w.seen.size()},
        {"window_ms", l.until_midnight ? json("until midnight, Pacific") : json(ms_of(l.window))},
        {"first_at_ms", as_unix_ms(w.seen.front())},
        {"arrived_at_ms", as_unix_ms(t)}});
}

void judge::check_early(std::string_view key, std::string_view model, instant t) {
  const auto found = announced_.find(place_of(key, model));
  if (found == announced_.end())
    return;
  auto& list = found->second;
  std::erase_if(list, [t](const announcement& a) { return a.until <= t; });
  for (const auto& a : list) {
    if (t <= a.delivered + options_.grace)
      continue;
    if (key == planted_key) {
      ++planted_early_.found;
      return;
    }
    ++early_;
    note({{"kind", "early"},
          {"key", key},
          {"model", model},
          {"refused_at_ms", as_unix_ms(a.delivered)},
          {"announced_until_ms", as_unix_ms(a.until)},
          {"arrived_at_ms", as_unix_ms(t)},
          {"early_by_ms", ms_of(a.until - t)}});
    return; // one arrival is one early call, however many refusals it ignores
  }
  if (list.empty())
    announced_.erase(found);
}

void judge::refused(std::string_view key, std::string_view model, instant delivered,
                    instant until) {
  if (key != planted_key)
    ++refusals_;
  auto& list = announced_[place_of(key, model)];
  // One that was delivered earlier and lasts longer says all that this one says.
  for (const auto& a : list)
    if (a.delivered <= delivered && a.until >= until)
      return;
  std::erase_if(list, [&](const announcement& a) {
    return a.until <= delivered || (delivered <= a.delivered && until >= a.until);
  });
  if (list.size() >= options_.refusals_max) {
    ++forgotten_;
    list.erase(list.begin());
  }
  list.push_back({delivered, until});
}

void judge::plant(bool violation, bool early, instant t) {
  // A model of its own for each planting: earlier plants do not disturb it.
  const auto model = "plant-" + std::to_string(++plants_);
  if (violation) {
    ++planted_violations_.planted;
    const std::vector<applied_limit> one{
        {"key=" + std::string{planted_key} + " model=" + model, 1, std::chrono::minutes{1}, false}};
    arrived(one, planted_key, model, t - std::chrono::seconds{1});
    arrived(one, planted_key, model, t);
  }
  if (early) {
    ++planted_early_.planted;
    const auto other = model + "-early";
    refused(planted_key, other, t - options_.grace - std::chrono::milliseconds{1},
            t + std::chrono::seconds{1});
    arrived({}, planted_key, other, t);
  }
}

void judge::note(json what) {
  if (evidence_.size() < options_.evidence_max)
    evidence_.push_back(what.dump(-1, ' ', false, json::error_handler_t::replace));
}

json judge::report() const {
  json limits = json::array();
  bool blind = forgotten_ > 0;
  for (const auto& [domain, w] : watches_) {
    if (domain.starts_with("key=" + std::string{planted_key} + " "))
      continue;
    blind = blind || w.blind;
    limits.push_back({{"domain", domain},
                      {"allowed", w.limit.requests},
                      {"window_ms", w.limit.until_midnight ? json("until midnight, Pacific")
                                                           : json(ms_of(w.limit.window))},
                      {"arrivals", w.arrivals},
                      {"most_in_a_window", w.most},
                      {"violations", w.violations}});
  }
  json evidence = json::array();
  for (const auto& e : evidence_)
    evidence.push_back(json::parse(e));
  const auto planted = [](const tally& t) {
    return json{{"planted", t.planted}, {"found", t.found}};
  };
  return {{"violations", violations_},
          {"early", early_},
          {"refusals_with_a_time", refusals_},
          {"blind", blind},
          {"grace_ms", ms_of(options_.grace)},
          {"planted",
           {{"violations", planted(planted_violations_)}, {"early", planted(planted_early_)}}},
          {"limits", std::move(limits)},
          {"evidence", std::move(evidence)}};
}

} // namespace sandbox
