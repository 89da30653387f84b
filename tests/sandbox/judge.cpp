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

json window_of(const applied_limit& l) {
  if (l.counts == measure::in_flight)
    return "at one time";
  if (l.until_midnight)
    return "until midnight, Pacific";
  return ms_of(l.window);
}

} // namespace

judge::judge() : judge(options{}) {}

judge::judge(options o) : options_(o) {}

void judge::clear() {
  *this = judge{options_};
}

void judge::arrived(const std::vector<applied_limit>& limits, std::string_view key,
                    std::string_view model, instant t, std::uint64_t input_tokens) {
  for (const auto& l : limits)
    check_limit(l, key, model, t, input_tokens);
  check_early(key, model, t);
}

judge::watch& judge::watched(const applied_limit& l, instant t) {
  auto& w = watches_[l.domain];
  w.limit = l;
  if (l.counts == measure::in_flight)
    return w;
  if (!l.until_midnight) {
    w.seen.forget(t, l.window);
  } else if (t >= w.day_ends) {
    w.today = 0;
    w.day_begins = t;
    w.day_ends = next_pacific_midnight(t);
  }
  return w;
}

std::uint64_t judge::add(watch& w, instant t, std::uint64_t amount) {
  if (w.limit.counts == measure::in_flight)
    return w.at_once += amount;
  if (w.limit.until_midnight)
    return w.today += amount;
  if (amount > 0) {
    if (w.seen.size() >= options_.window_arrivals_max) {
      w.seen.drop_oldest();
      w.blind = true;
    }
    w.seen.add(t, amount);
  }
  return w.seen.sum();
}

void judge::check_limit(const applied_limit& l, std::string_view key, std::string_view model,
                        instant t, std::uint64_t input_tokens) {
  auto& w = watched(l, t);
  const bool requests = l.counts == measure::requests || l.counts == measure::in_flight;
  const bool output = l.counts == measure::output_tokens;
  const auto sum = add(w, t, requests ? 1 : output ? 0 : input_tokens);
  ++w.arrivals;
  w.most = std::max(w.most, sum);
  // Of output nothing is known yet, but none can be made where nothing is left.
  if (output ? sum < l.allowed : sum <= l.allowed)
    return;
  ++w.violations;
  if (key == planted_key) {
    ++planted_violations_.found;
    return;
  }
  ++violations_;
  note_limit("violation", w, key, model, t, sum);
}

void judge::ended(const std::vector<applied_limit>& limits, std::string_view key,
                  std::string_view model, instant t, std::uint64_t output_tokens) {
  for (const auto& l : limits) {
    if (!settles(l))
      continue;
    auto& w = watched(l, t);
    if (l.counts == measure::in_flight) {
      if (w.at_once > 0) // zero: the judge was cleared in the meantime
        --w.at_once;
      continue;
    }
    const auto sum = add(w, t, output_tokens);
    w.most = std::max(w.most, sum);
    if (sum <= l.allowed || output_tokens == 0)
      continue;
    ++w.overruns;
    ++overruns_;
    note_limit("overrun", w, key, model, t, sum);
  }
}

void judge::note_limit(const char* kind, const watch& w, std::string_view key,
                       std::string_view model, instant t, std::uint64_t in_window) {
  json what = {{"kind", kind},
               {"domain", w.limit.domain},
               {"key", key},
               {"model", model},
               {"allowed", w.limit.allowed},
               {"in_window", in_window},
               {"window_ms", window_of(w.limit)},
               {"at_ms", as_unix_ms(t)}};
  if (w.limit.until_midnight)
    what["first_at_ms"] = as_unix_ms(w.day_begins);
  else if (w.seen.size() > 0)
    what["first_at_ms"] = as_unix_ms(w.seen.entries().front().at);
  note(std::move(what));
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
                      {"allowed", w.limit.allowed},
                      {"window_ms", window_of(w.limit)},
                      {"arrivals", w.arrivals},
                      {"most_in_a_window", w.most},
                      {"violations", w.violations},
                      {"overruns", w.overruns}});
  }
  json evidence = json::array();
  for (const auto& e : evidence_)
    evidence.push_back(json::parse(e));
  const auto planted = [](const tally& t) {
    return json{{"planted", t.planted}, {"found", t.found}};
  };
  return {{"violations", violations_},
          {"overruns", overruns_},
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
