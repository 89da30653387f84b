#include "tests/crossing/stress.hpp"

#include <cstdio>
#include <string_view>

/// Runs the stress with the lock taken out of the named class. The thread sanitizer must stop
/// it with a report; coming to the end is the failure.
int main(int argc, char** argv) {
  using namespace troupe;
  const std::string_view where = argc > 1 ? argv[1] : "";
  const stress_size size{2, 10'000};
  if (where == "hand_off")
    stress_hand_off<no_mutex>(size);
  else if (where == "job_queue")
    stress_job_queue<no_mutex>(size);
  else if (where == "loop_inbox")
    stress_loop_inbox<no_mutex>(size, size.items);
  else
    return 2;
  std::puts("the planted race was not found");
  return 1;
}
