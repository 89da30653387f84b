#include "storage/cipher.hpp"

#include "storage/random.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/sha.h>

#include <algorithm>
#include <memory>

namespace troupe::storage {

namespace {

constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t tag_bytes = 16;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

struct free_context {
  void operator()(EVP_CIPHER_CTX* c) const { EVP_CIPHER_CTX_free(c); }
};

struct free_cipher {
  void operator()(EVP_CIPHER* c) const { EVP_CIPHER_free(c); }
};

/// Looked up once: OpenSSL searches its providers each time it is asked by the old name, which
/// takes longer than to open a sealed key.
const EVP_CIPHER* aes_256_gcm() {
  static const std::unique_ptr<EVP_CIPHER, free_cipher> found{
      EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr)};
  TROUPE_ASSERT(found != nullptr);
  return found.get();
}

/// The context of this thread, for one sealing or opening: making one costs more than that. What
/// it has of the key is wiped afterwards.
class borrowed_context {
public:
  borrowed_context() : c_(of_thread()) {}
  ~borrowed_context() { EVP_CIPHER_CTX_reset(c_); }
  borrowed_context(const borrowed_context&) = delete;
  borrowed_context& operator=(const borrowed_context&) = delete;
  operator EVP_CIPHER_CTX*() const { return c_; }

private:
  static EVP_CIPHER_CTX* of_thread() {
    thread_local const std::unique_ptr<EVP_CIPHER_CTX, free_context> made{EVP_CIPHER_CTX_new()};
    TROUPE_ASSERT(made != nullptr);
    return made.get();
  }

  EVP_CIPHER_CTX* c_;
};

/// What OpenSSL cannot refuse for any input: only a bug, or no memory, makes it fail.
void must(int ok) {
  TROUPE_ASSERT(ok == 1);
}

int digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

std::optional<key_bytes> from_hex(std::string_view text) {
  key_bytes k;
  for (std::size_t i = 0; i < key_bytes::size; ++i) {
    const int high = digit(text[2 * i]);
    const int low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0)
      return std::nullopt;
    k.data()[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return k;
}

std::optional<key_bytes> from_base64(std::string_view text) {
  constexpr std::size_t decoded_bytes = 33; // with the padding
  std::array<unsigned char, decoded_bytes> out{};
  const auto count = EVP_DecodeBlock(out.data(), bytes_of(text), static_cast<int>(text.size()));
  key_bytes k;
  // It takes `=` anywhere for a zero.
  const bool whole = count == static_cast<int>(decoded_bytes) && text.find('=') == text.size() - 1;
  std::copy_n(out.begin(), key_bytes::size, k.data());
  OPENSSL_cleanse(out.data(), out.size());
  return whole ? std::optional{k} : std::nullopt;
}

constexpr const char* does_not_open =
    "a sealed value does not open: it is damaged, or was sealed elsewhere";

/// Opens `sealed` into as many bytes at `to` as it is longer than nonce and tag. Wipes them and
/// says false unless it is whole.
bool open_into(unsigned char* to, const key_bytes& with, std::string_view context,
               std::string_view sealed) {
  const auto size = sealed.size() - nonce_bytes - tag_bytes;
  std::array<unsigned char, tag_bytes> tag{};
  std::copy_n(bytes_of(sealed) + nonce_bytes + size, tag_bytes, tag.begin());
  const borrowed_context c;
  int count = 0;
  must(EVP_DecryptInit_ex(c, aes_256_gcm(), nullptr, with.data(), bytes_of(sealed)));
  must(EVP_DecryptUpdate(c, nullptr, &count, bytes_of(context), static_cast<int>(context.size())));
  must(EVP_DecryptUpdate(c, to, &count, bytes_of(sealed) + nonce_bytes, static_cast<int>(size)));
  must(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, tag_bytes, tag.data()));
  unsigned char none[1];
  if (EVP_DecryptFinal_ex(c, none, &count) == 1)
    return true;
  OPENSSL_cleanse(to, size);
  return false;
}

} // namespace

key_bytes::~key_bytes() {
  OPENSSL_cleanse(bytes_.data(), bytes_.size());
}

bool operator==(const key_bytes& a, const key_bytes& b) {
  return CRYPTO_memcmp(a.data(), b.data(), key_bytes::size) == 0;
}

key_bytes key_bytes::random() {
  key_bytes k;
  fill_random(k.data(), size);
  return k;
}

std::optional<key_bytes> parse_key_bytes(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n";
  const auto first = text.find_first_not_of(blank);
  if (first == std::string_view::npos)
    return std::nullopt;
  text = text.substr(first, text.find_last_not_of(blank) - first + 1);
  if (text.size() == 2 * key_bytes::size)
    return from_hex(text);
  constexpr std::size_t base64_size = 44;
  return text.size() == base64_size ? from_base64(text) : std::nullopt;
}

secret print_key_bytes(const key_bytes& k) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  out.reserve(2 * key_bytes::size); // so that it is not moved, and leaves half of it behind
  for (std::size_t i = 0; i < key_bytes::size; ++i) {
    out += digits[k.data()[i] >> 4];
    out += digits[k.data()[i] & 15];
  }
  return secret{std::move(out)};
}

std::string seal_bytes(const key_bytes& with, std::string_view context, std::string_view plain) {
  std::string out(nonce_bytes + plain.size() + tag_bytes, '\0');
  auto* const to = reinterpret_cast<unsigned char*>(out.data());
  fill_random(to, nonce_bytes);
  const borrowed_context c;
  int count = 0;
  must(EVP_EncryptInit_ex(c, aes_256_gcm(), nullptr, with.data(), to));
  must(EVP_EncryptUpdate(c, nullptr, &count, bytes_of(context), static_cast<int>(context.size())));
  must(EVP_EncryptUpdate(c, to + nonce_bytes, &count, bytes_of(plain),
                         static_cast<int>(plain.size())));
  must(EVP_EncryptFinal_ex(c, to + nonce_bytes + plain.size(), &count));
  must(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, tag_bytes, to + nonce_bytes + plain.size()));
  return out;
}

result<secret> open_bytes(const key_bytes& with, std::string_view context,
                          std::string_view sealed) {
  if (sealed.size() < nonce_bytes + tag_bytes)
    return failure{errc::corrupt, does_not_open};
  std::string plain(sealed.size() - nonce_bytes - tag_bytes, '\0');
  if (!open_into(reinterpret_cast<unsigned char*>(plain.data()), with, context, sealed))
    return failure{errc::corrupt, does_not_open};
  return secret{std::move(plain)};
}

result<key_bytes> open_key(const key_bytes& with, std::string_view context,
                           std::string_view sealed) {
  key_bytes k;
  if (sealed.size() != nonce_bytes + key_bytes::size + tag_bytes
      || !open_into(k.data(), with, context, sealed))
    return failure{errc::corrupt, does_not_open};
  return k;
}

key_bytes derive_key(const key_bytes& from, std::string_view salt, std::string_view purpose) {
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> c{
      EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nullptr), &EVP_PKEY_CTX_free};
  TROUPE_ASSERT(c != nullptr);
  key_bytes out;
  std::size_t size = key_bytes::size;
  must(EVP_PKEY_derive_init(c.get()));
  must(EVP_PKEY_CTX_set_hkdf_md(c.get(), EVP_sha256()));
  must(EVP_PKEY_CTX_set1_hkdf_salt(c.get(), bytes_of(salt), static_cast<int>(salt.size())));
  must(EVP_PKEY_CTX_set1_hkdf_key(c.get(), from.data(), key_bytes::size));
  must(EVP_PKEY_CTX_add1_hkdf_info(c.get(), bytes_of(purpose), static_cast<int>(purpose.size())));
  must(EVP_PKEY_derive(c.get(), out.data(), &size));
  return out;
}

std::string fingerprint_of(const key_bytes& k) {
  static constexpr char digits[] = "0123456789abcdef";
  constexpr std::string_view fixed = "troupe master key ";
  std::string text;
  text.reserve(fixed.size() + key_bytes::size);
  text += fixed;
  text += k.view();
  std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
  SHA256(bytes_of(text), text.size(), hash.data());
  OPENSSL_cleanse(text.data(), text.size());
  std::string out;
  for (std::size_t i = 0; i < 4; ++i) {
    out += digits[hash[i] >> 4];
    out += digits[hash[i] & 15];
  }
  return out;
}

} // namespace troupe::storage
