// The keys of session tickets, with OpenSSL at the other end of the callback.
#include <algorithm>
#include <array>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "tercel/net/tls_identity.h"

namespace tercel::net {
namespace {

constexpr std::int64_t kHalfDay = TlsTicketKeys::kEpochSeconds;
constexpr std::int64_t kNow = 1'800'000'000 / kHalfDay * kHalfDay + 100;

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
struct FreeMac {
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};

std::unique_ptr<EVP_MAC_CTX, FreeMac> new_mac() {
  EVP_MAC* hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  std::unique_ptr<EVP_MAC_CTX, FreeMac> context{EVP_MAC_CTX_new(hmac)};
  EVP_MAC_free(hmac);
  return context;
}

struct Ticket {
  std::array<unsigned char, 16> name{};
  std::array<unsigned char, EVP_MAX_IV_LENGTH> iv{};
  std::array<unsigned char, 32> sealed{};
  std::array<unsigned char, 32> mac{};
};

// What OpenSSL does with the contexts that it gets, in short.
std::array<unsigned char, 32> mac_of(EVP_MAC_CTX* context, const Ticket& ticket) {
  std::array<unsigned char, 32> mac{};
  std::size_t bytes = 0;
  EXPECT_EQ(EVP_MAC_init(context, nullptr, 0, nullptr), 1);
  EXPECT_EQ(EVP_MAC_update(context, ticket.sealed.data(), ticket.sealed.size()), 1);
  EXPECT_EQ(EVP_MAC_final(context, mac.data(), &bytes, mac.size()), 1);
  return mac;
}

constexpr std::array<unsigned char, 16> kSession{'s', 'e', 's', 's', 'i', 'o', 'n'};

Ticket seal(TlsTicketKeys& keys, std::int64_t now) {
  Ticket ticket;
  const std::unique_ptr<EVP_CIPHER_CTX, FreeCipher> cipher{EVP_CIPHER_CTX_new()};
  const auto mac = new_mac();
  EXPECT_EQ(keys.prepare(ticket.name.data(), ticket.iv.data(), cipher.get(), mac.get(),
                         /*encrypt=*/true, now),
            TlsTicketKeys::kGood);
  int bytes = 0;
  int rest = 0;
  EXPECT_EQ(EVP_EncryptUpdate(cipher.get(), ticket.sealed.data(), &bytes, kSession.data(),
                              kSession.size()),
            1);
  EXPECT_EQ(EVP_EncryptFinal_ex(cipher.get(), ticket.sealed.data() + bytes, &rest), 1);
  ticket.mac = mac_of(mac.get(), ticket);
  return ticket;
}

// What the callback says of the ticket; kFailed also when it does not open with what it prepared.
int open(TlsTicketKeys& keys, Ticket ticket, std::int64_t now) {
  const std::unique_ptr<EVP_CIPHER_CTX, FreeCipher> cipher{EVP_CIPHER_CTX_new()};
  const auto mac = new_mac();
  const int said = keys.prepare(ticket.name.data(), ticket.iv.data(), cipher.get(), mac.get(),
                                /*encrypt=*/false, now);
  if (said <= TlsTicketKeys::kUnknown) return said;
  std::array<unsigned char, 64> text{};
  int bytes = 0;
  int rest = 0;
  const bool opens = mac_of(mac.get(), ticket) == ticket.mac &&
                     EVP_DecryptUpdate(cipher.get(), text.data(), &bytes, ticket.sealed.data(),
                                       ticket.sealed.size()) == 1 &&
                     EVP_DecryptFinal_ex(cipher.get(), text.data() + bytes, &rest) == 1 &&
                     std::equal(kSession.begin(), kSession.end(), text.begin());
  return opens ? said : TlsTicketKeys::kFailed;
}

class TlsTicketTest : public testing::Test {
 protected:
  void SetUp() override {
    if (find_openssl() == nullptr) GTEST_SKIP() << "OpenSSL 3 is not on this machine";
  }
  TlsTicketKeys keys_{TlsTicketSecret{1, 2, 3}};
};

TEST_F(TlsTicketTest, IsGoodForHalfADayRenewedInTheNextAndUnknownThen) {
  const Ticket ticket = seal(keys_, kNow);
  EXPECT_EQ(open(keys_, ticket, kNow), TlsTicketKeys::kGood);
  EXPECT_EQ(open(keys_, ticket, kNow + kHalfDay), TlsTicketKeys::kGoodButRenew);
  EXPECT_EQ(open(keys_, ticket, kNow + 2 * kHalfDay), TlsTicketKeys::kUnknown);
}

TEST_F(TlsTicketTest, OfWhoeverSharesTheSecretIsGood) {
  TlsTicketKeys others{TlsTicketSecret{1, 2, 3}};
  EXPECT_EQ(open(others, seal(keys_, kNow), kNow), TlsTicketKeys::kGood);
  EXPECT_EQ(open(others, seal(keys_, kNow), kNow + kHalfDay), TlsTicketKeys::kGoodButRenew);
}

TEST_F(TlsTicketTest, OfAnotherSecretIsUnknown) {
  TlsTicketKeys others{TlsTicketSecret{1, 2, 4}};
  EXPECT_EQ(open(others, seal(keys_, kNow), kNow), TlsTicketKeys::kUnknown);
}

TEST_F(TlsTicketTest, TwoOfOneSessionHaveNothingInCommonButTheName) {
  const Ticket first = seal(keys_, kNow);
  const Ticket second = seal(keys_, kNow);
  EXPECT_EQ(first.name, second.name);
  EXPECT_NE(first.iv, second.iv);
  EXPECT_NE(first.sealed, second.sealed);
}

TEST_F(TlsTicketTest, KeysOfTwoHalfDaysDiffer) {
  EXPECT_NE(seal(keys_, kNow).name, seal(keys_, kNow + kHalfDay).name);
}

TEST_F(TlsTicketTest, ThreadsAgreeWhileTheHalfDayChanges) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this] {
      for (std::int64_t round = 0; round < 50; ++round) {
        const std::int64_t now = kNow + round / 10 * kHalfDay;
        EXPECT_EQ(open(keys_, seal(keys_, now), now), TlsTicketKeys::kGood);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace tercel::net
