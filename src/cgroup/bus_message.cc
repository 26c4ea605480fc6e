// SPDX-License-Identifier: Apache-2.0
#include "cgroup/bus_message.h"

#include <bit>
#include <cstring>

#include "berth/try.h"
#include "core/context.h"

namespace berth::cgroup {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they are");

using plan::BusValue;

constexpr int kMaxDepth = 64;  // of containers within each other, as the specification has it

enum Field : uint8_t {
  kPath = 1,
  kInterface = 2,
  kMember = 3,
  kErrorName = 4,
  kReplySerial = 5,
  kDestination = 6,
  kSignature = 8,
};

size_t alignment_of(char type) {
  switch (type) {
    case 'n':
    case 'q': return 2;
    case 'b':
    case 'i':
    case 'u':
    case 'h':
    case 's':
    case 'o':
    case 'a': return 4;
    case 'x':
    case 't':
    case 'd':
    case '(':
    case '{': return 8;
    default: return 1;
  }
}

// Of the types whose value is a number of fixed size.
size_t size_of(char type) {
  switch (type) {
    case 'y': return 1;
    case 'n':
    case 'q': return 2;
    case 'b':
    case 'i':
    case 'u':
    case 'h': return 4;
    case 'x':
    case 't':
    case 'd': return 8;
    default: return 0;
  }
}

class Writer {
 public:
  void value(const BusValue& value) {
    const char type = value.type.front();
    align(alignment_of(type));
    if (type == 'd') {
      raw(&value.real, sizeof value.real);
    } else if (const size_t size = size_of(type)) {
      raw(&value.number, size);
    } else if (type == 's' || type == 'o') {
      number(static_cast<uint32_t>(value.text.size()));
      raw(value.text.c_str(), value.text.size() + 1);
    } else if (type == 'g') {
      signature(value.text);
    } else if (type == 'v') {
      signature(value.items.front().type);
      this->value(value.items.front());
    } else if (type == 'a') {
      array(value);
    } else {
      for (const BusValue& item : value.items) this->value(item);
    }
  }

  void number(uint32_t value) { raw(&value, sizeof value); }
  void byte(uint8_t value) { raw(&value, sizeof value); }
  void align(size_t alignment) { bytes_.resize((bytes_.size() + alignment - 1) & -alignment); }
  void set_number(size_t at, uint32_t value) { memcpy(bytes_.data() + at, &value, sizeof value); }
  size_t size() const { return bytes_.size(); }
  std::string take() { return std::move(bytes_); }

 private:
  // The length counts neither itself nor the padding before the first item.
  void array(const BusValue& value) {
    const size_t length_at = bytes_.size();
    number(0);
    align(alignment_of(value.type[1]));
    const size_t start = bytes_.size();
    for (const BusValue& item : value.items) this->value(item);
    set_number(length_at, static_cast<uint32_t>(bytes_.size() - start));
  }
  void signature(const std::string& text) {
    byte(static_cast<uint8_t>(text.size()));
    raw(text.c_str(), text.size() + 1);
  }
  void raw(const void* data, size_t size) { bytes_.append(static_cast<const char*>(data), size); }

  std::string bytes_ = {};
};

class Reader {
 public:
  Reader(std::string_view bytes, size_t at) : bytes_(bytes), at_(at) {}

  Result<BusValue> value(std::string_view type, int depth = 0) {
    if (depth > kMaxDepth) return bad("is nested too deeply");
    TRY(align(alignment_of(type.front())));
    BusValue value = {.type = std::string(type)};
    if (type == "d") {
      TRY(raw(&value.real, sizeof value.real));
    } else if (const size_t size = size_of(type.front())) {
      TRY(raw(&value.number, size));
    } else if (type == "s" || type == "o") {
      value.text = TRY(text(TRY(number())));
    } else if (type == "g") {
      value.text = TRY(signature());
    } else if (type == "v") {
      const std::string inner = TRY(signature());
      if (complete_type(inner) != inner.size() || inner.empty()) return bad("has a wrong variant");
      value.items.push_back(TRY(this->value(inner, depth + 1)));
    } else if (type.front() == 'a') {
      TRY(array(type.substr(1), depth, value.items));
    } else {
      TRY(members(type.substr(1, type.size() - 2), depth, value.items));
    }
    return value;
  }

  Result<> members(std::string_view types, int depth, std::vector<BusValue>& items) {
    while (!types.empty()) {
      const size_t length = complete_type(types);
      if (length == 0) return bad("has a wrong signature");
      items.push_back(TRY(value(types.substr(0, length), depth + 1)));
      types.remove_prefix(length);
    }
    return {};
  }

  Result<uint32_t> number() {
    uint32_t value = 0;
    TRY(align(sizeof value));
    TRY(raw(&value, sizeof value));
    return value;
  }

  Result<> align(size_t alignment) {
    at_ = (at_ + alignment - 1) & -alignment;
    if (at_ > bytes_.size()) return bad("is cut off");
    return {};
  }
  bool at_end() const { return at_ == bytes_.size(); }

 private:
  Result<> array(std::string_view type, int depth, std::vector<BusValue>& items) {
    const uint32_t size = TRY(number());
    TRY(align(alignment_of(type.front())));
    if (size > bytes_.size() - at_) return bad("is cut off");
    const size_t end = at_ + size;
    while (at_ < end) items.push_back(TRY(value(type, depth + 1)));
    return at_ == end ? Result<>() : bad("has an array of a wrong length");
  }

  Result<std::string> signature() {
    uint8_t size = 0;
    TRY(raw(&size, 1));
    return text(size);
  }

  Result<std::string> text(size_t size) {
    if (size >= bytes_.size() - at_) return bad("is cut off");
    std::string text(bytes_.substr(at_, size));
    at_ += size + 1;
    return text;
  }

  Result<> raw(void* target, size_t size) {
    if (size > bytes_.size() - at_) return bad("is cut off");
    memcpy(target, bytes_.data() + at_, size);
    at_ += size;
    return {};
  }

  static std::unexpected<Error> bad(std::string_view what) {
    return fail(ErrorKind::System, "a message of D-Bus {}", what);
  }

  std::string_view bytes_;
  size_t at_;
};

// a(yv), the header's last part.
BusValue header_fields(const BusCall& call, const std::string& signature) {
  BusValue fields = {.type = "a(yv)"};
  const auto add = [&](Field field, const char* type, const std::string& text) {
    if (text.empty()) return;
    fields.items.push_back(plan::bus_struct(
        {plan::bus_number('y', field), plan::bus_variant({.type = type, .text = text})}));
  };
  add(kPath, "o", call.path);
  add(kDestination, "s", call.destination);
  add(kInterface, "s", call.interface);
  add(kMember, "s", call.member);
  add(kSignature, "g", signature);
  return fields;
}

// Writes what the field says into the message, and its signature apart.
void take_field(const BusValue& field, BusMessage& message, std::string& signature) {
  const BusValue& value = field.items[1].items.front();
  switch (field.items.front().number) {
    case kPath: message.path = value.text; break;
    case kInterface: message.interface = value.text; break;
    case kMember: message.member = value.text; break;
    case kErrorName: message.error = value.text; break;
    case kReplySerial: message.reply_to = static_cast<uint32_t>(value.number); break;
    case kSignature: signature = value.text; break;
    default: break;  // "must be ignored"
  }
}

uint32_t number_at(std::string_view bytes, size_t at) {
  uint32_t value = 0;
  memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

constexpr size_t kBodySizeAt = 4, kSerialAt = 8, kFieldsSizeAt = 12;

size_t aligned(size_t size) { return (size + 7) & ~size_t{7}; }

}  // namespace

std::string write_call(const BusCall& call, uint32_t serial) {
  std::string signature;
  for (const BusValue& argument : call.arguments) signature += argument.type;
  Writer writer;
  writer.byte('l');
  writer.byte(static_cast<uint8_t>(BusMessageType::Call));
  writer.byte(0);  // flags
  writer.byte(1);  // version of the protocol
  writer.number(0);
  writer.number(serial);
  writer.value(header_fields(call, signature));
  writer.align(8);
  const size_t body = writer.size();
  for (const BusValue& argument : call.arguments) writer.value(argument);
  writer.set_number(kBodySizeAt, static_cast<uint32_t>(writer.size() - body));
  return writer.take();
}

Result<size_t> message_size(std::string_view header) {
  if (header.size() < kBusHeaderSize || header[0] != 'l' || header[3] != 1)
    return fail(ErrorKind::System, "this is no little-endian message of D-Bus");
  const size_t fields = number_at(header, kFieldsSizeAt);
  const size_t body = number_at(header, kBodySizeAt);
  if (fields > kBusMessageLimit || body > kBusMessageLimit)
    return fail(ErrorKind::System, "a message of D-Bus is too long");
  return aligned(kBusHeaderSize + fields) + body;
}

Result<BusMessage> read_message(std::string_view bytes) {
  if (TRY(message_size(bytes)) != bytes.size())
    return fail(ErrorKind::System, "a message of D-Bus is cut off");
  BusMessage message = {.type = static_cast<BusMessageType>(bytes[1]),
                        .serial = number_at(bytes, kSerialAt)};
  Reader header(bytes.substr(0, kBusHeaderSize + number_at(bytes, kFieldsSizeAt)), kFieldsSizeAt);
  const BusValue fields = TRY(header.value("a(yv)"));
  std::string signature;
  for (const BusValue& field : fields.items) take_field(field, message, signature);
  const size_t body = bytes.size() - number_at(bytes, kBodySizeAt);
  Reader reader(bytes, body);
  TRY(reader.members(signature, 0, message.arguments));
  if (!reader.at_end()) return fail(ErrorKind::System, "a message of D-Bus has a wrong length");
  return message;
}

size_t complete_type(std::string_view signature) {
  if (signature.empty()) return 0;
  const char first = signature.front();
  if (first == 'a') {
    const size_t item = complete_type(signature.substr(1));
    return item == 0 ? 0 : item + 1;
  }
  if (first != '(' && first != '{')
    return std::string_view("ybnqiuxtdsogvh").contains(first) ? 1 : 0;
  const char closing = first == '(' ? ')' : '}';
  size_t length = 1;
  while (length < signature.size() && signature[length] != closing) {
    const size_t member = complete_type(signature.substr(length));
    if (member == 0) return 0;
    length += member;
  }
  return length > 1 && length < signature.size() ? length + 1 : 0;
}

}  // namespace berth::cgroup
