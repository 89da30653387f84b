#include "sandbox/clock.hpp"

namespace sandbox {

namespace {

using namespace std::chrono;

struct origin {
  instant wall = time_point_cast<duration>(system_clock::now());
  steady_clock::time_point steady = steady_clock::now();
};

/// What is added to UTC to get the time on a wall in Los Angeles.
hours pacific_offset(instant t) {
  const auto y = year_month_day{floor<days>(t)}.year();
  const auto spring = sys_days{y / March / Sunday[2]} + hours{10};
  const auto autumn = sys_days{y / November / Sunday[1]} + hours{9};
  return t >= spring && t < autumn ? hours{-7} : hours{-8};
}

} // namespace

instant now() {
  static const origin start;
  return start.wall + duration_cast<duration>(steady_clock::now() - start.steady);
}

instant next_pacific_midnight(instant t) {
  const auto here = pacific_offset(t);
  const instant midnight_on_the_wall = floor<days>(t + here) + days{1};
  // The clock may be changed between now and then, never at midnight itself.
  return midnight_on_the_wall - pacific_offset(midnight_on_the_wall - here);
}

double as_unix_ms(instant t) {
  return static_cast<double>(t.time_since_epoch().count()) / 1e6;
}

} // namespace sandbox
