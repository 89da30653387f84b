// store_torture DIRECTORY: opens a store, checks it, then writes numbered batches until it is
// killed. Says on its output what it found and, after each write that was acknowledged, its
// number; each line by one system call, so that nothing it says is lost with it.

#include "tests/storage/torture/slots.hpp"

#include <cstdio>
#include <string>

#include <unistd.h>

namespace {

void say(const std::string& line) {
  const auto text = line + '\n';
  if (::write(STDOUT_FILENO, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    ::_exit(3); // nobody listens any more
}

} // namespace

int main(int count, char** arguments) {
  using namespace troupe::storage;
  if (count != 2) {
    std::fputs("usage: store_torture DIRECTORY\n", stderr);
    return 2;
  }
  const auto opened = store::open(torture::options(arguments[1]));
  if (!opened) {
    say("wrong cannot open: " + opened.error().text);
    return 1;
  }
  auto& s = **opened;
  std::string wrong;
  auto number = torture::check(s, wrong);
  if (!wrong.empty()) {
    say("wrong " + wrong);
    return 1;
  }
  say("found " + std::to_string(number));
  for (;;) {
    ++number;
    const auto how = number % 5 == 0 ? durability::power : durability::process;
    if (const auto written = s.write(torture::batch_of(number), how); !written) {
      say("wrong cannot write: " + written.error().text);
      return 1;
    }
    say("wrote " + std::to_string(number));
  }
}
