#include "http/credentials.hpp"

#include "http/core/credentials.hpp"

namespace troupe::http {

std::string presented_credential(const request& r) {
  credential_places places;
  places.authorization = r.fields->get("authorization");
  places.x_api_key = r.fields->get("x-api-key");
  places.x_goog_api_key = r.fields->get("x-goog-api-key");
  places.query = r.query;
  return presented_in(places);
}

} // namespace troupe::http
