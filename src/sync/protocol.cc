// SPDX-License-Identifier: Apache-2.0
#include "sync/protocol.h"

namespace berth::sync {

std::vector<Message> expected_messages(const Conversation& conversation) {
  std::vector<Message> messages;
  if (conversation.joiner) messages.push_back(Message::InitPid);
  if (conversation.ids) messages.push_back(Message::IdsWanted);
  if (conversation.host_work) messages.push_back(Message::NamespacesReady);
  if (conversation.console) messages.push_back(Message::Console);
  if (conversation.listener) messages.push_back(Message::SeccompListener);
  messages.push_back(Message::Ready);
  return messages;
}

}  // namespace berth::sync
