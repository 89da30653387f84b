#include "http/core/answer_text.hpp"

#include <cstring>

namespace troupe::http {

std::string_view status_text(int status) {
  switch (status) {
  case 100:
    return "Continue";
  case 200:
    return "OK";
  case 201:
    return "Created";
  case 202:
    return "Accepted";
  case 204:
    return "No Content";
  case 206:
    return "Partial Content";
  case 301:
    return "Moved Permanently";
  case 302:
    return "Found";
  case 303:
    return "See Other";
  case 304:
    return "Not Modified";
  case 307:
    return "Temporary Redirect";
  case 308:
    return "Permanent Redirect";
  case 400:
    return "Bad Request";
  case 401:
    return "Unauthorized";
  case 402:
    return "Payment Required";
  case 403:
    return "Forbidden";
  case 404:
    return "Not Found";
  case 405:
    return "Method Not Allowed";
  case 406:
    return "Not Acceptable";
  case 408:
    return "Request Timeout";
  case 409:
    return "Conflict";
  case 410:
    return "Gone";
  case 411:
    return "Length Required";
  case 412:
    return "Precondition Failed";
  case 413:
    return "Content Too Large";
  case 414:
    return "URI Too Long";
  case 415:
    return "Unsupported Media Type";
  case 416:
    return "Range Not Satisfiable";
  case 417:
    return "Expectation Failed";
  case 422:
    return "Unprocessable Content";
  case 425:
    return "Too Early";
  case 428:
    return "Precondition Required";
  case 429:
    return "Too Many Requests";
  case 431:
    return "Request Header Fields Too Large";
  case 451:
    return "Unavailable For Legal Reasons";
  case 499:
    return "Client Closed Request";
  case 500:
    return "Internal Server Error";
  case 501:
    return "Not Implemented";
  case 502:
    return "Bad Gateway";
  case 503:
    return "Service Unavailable";
  case 504:
    return "Gateway Timeout";
  case 505:
    return "HTTP Version Not Supported";
  case 507:
    return "Insufficient Storage";
  case 529:
    return "Overloaded";
  default:
    return {};
  }
}

std::array<char, http_date_bytes> http_date(wall_time when) {
  using namespace std::chrono;
  constexpr std::string_view days = "SunMonTueWedThuFriSat";
  constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const auto day = floor<std::chrono::days>(when);
  const year_month_day date{day};
  const hh_mm_ss time{floor<seconds>(when - day)};
  std::array<char, http_date_bytes> out;
  std::memcpy(out.data(), "???, ?? ??? ???? ??:??:?? GMT", out.size());
  const auto digits = [&out](std::size_t at, int value, std::size_t count) {
    for (auto i = at + count; i > at; --i, value /= 10)
      out[i - 1] = static_cast<char>('0' + value % 10);
  };
  std::memcpy(out.data(), days.data() + 3 * weekday{day}.c_encoding(), 3);
  digits(5, static_cast<int>(static_cast<unsigned>(date.day())), 2);
  std::memcpy(out.data() + 8, months.data() + 3 * (static_cast<unsigned>(date.month()) - 1), 3);
  digits(12, static_cast<int>(date.year()), 4);
  digits(17, static_cast<int>(time.hours().count()), 2);
  digits(20, static_cast<int>(time.minutes().count()), 2);
  digits(23, static_cast<int>(time.seconds().count()), 2);
  return out;
}

} // namespace troupe::http
