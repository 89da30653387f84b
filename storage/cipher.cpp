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

/// One per thread: making one costs more than sealing a key with it.
EVP_CIPHER_CTX* context_of_thread() {
  thread_local const std::unique_ptr<EVP_CIPHER_CTX, free_context> made{EVP_CIPHER_CTX_new()};
  TROUPE_ASSERT(made != nullptr);
  EVP_CIPHER_CTX_reset(made.get());
  return made.get();
}

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
  const bool whole = count == static_cast<int>(decoded_bytes) && text[42] != '=' && text[43] == '=';
  std::copy_n(out.begin(), key_bytes::size, k.data());
  OPENSSL_cleanse(out.data(), out.size());
  return whole ? std::optional{k} : std::nullopt;
}

} // namespace

key_bytes::~key_bytes() {
  OPENSSL_cleanse(bytes_.data(), bytes_.size());
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
  auto* const c = context_of_thread();
  int count = 0;
  must(EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), nullptr, with.data(), to));
  must(EVP_EncryptUpdate(c, nullptr, &count, bytes_of(context), static_cast<int>(context.size())));
  must(EVP_EncryptUpdate(c, to + nonce_bytes, &count, bytes_of(plain),
                         static_cast<int>(plain.size())));
  must(EVP_EncryptFinal_ex(c, to + nonce_bytes + plain.size(), &count));
  must(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, tag_bytes, to + nonce_bytes + plain.size()));
  return out;
}

result<secret> open_bytes(const key_bytes& with, std::string_view context,
                          std::string_view sealed) {
  const failure refused{errc::corrupt, "a sealed value does not open: it is damaged, or was sealed "
                                       "elsewhere"};
  if (sealed.size() < nonce_bytes + tag_bytes)
    return refused;
  const auto size = sealed.size() - nonce_bytes - tag_bytes;
  std::string plain(size, '\0');
  std::string tag{sealed.substr(nonce_bytes + size)};
  auto* const c = context_of_thread();
  int count = 0;
  must(EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), nullptr, with.data(), bytes_of(sealed)));
  must(EVP_DecryptUpdate(c, nullptr, &count, bytes_of(context), static_cast<int>(context.size())));
  must(EVP_DecryptUpdate(c, reinterpret_cast<unsigned char*>(plain.data()), &count,
                         bytes_of(sealed) + nonce_bytes, static_cast<int>(size)));
  must(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, tag_bytes, tag.data()));
  unsigned char none[1];
  if (EVP_DecryptFinal_ex(c, none, &count) != 1) {
    OPENSSL_cleanse(plain.data(), plain.size());
    return refused;
  }
  return secret{std::move(plain)};
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
  std::string text = "troupe master key ";
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
