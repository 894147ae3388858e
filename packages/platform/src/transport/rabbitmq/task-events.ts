/**
 * Task events over RabbitMQ: the topic exchange `pacifica.tasks`, and the queue from which notifications takes them.
 * Others may bind queues of their own, by the state:
 *
 * | where | what |
 * |---|---|
 * | routing key | the task's state: `done` |
 * | body | the event: JSON, CloudEvents 1.0 in structured mode |
 * | `content_type` | `application/cloudevents+json` |
 * | `message_id` | the event's id; a repeat has the same |
 */
import type { ConsumeMessage } from 'amqplib'
import type { TaskEventMessage, TaskEvents } from '../task-events.ts'
import type { Consumer } from '../transport.ts'
import { UnreadableTaskEventError } from '../transport-errors.ts'
import { CONTENT_TYPE, readText } from './message.ts'
import type { Parcel, Publisher } from './publisher.ts'
import { type Queue, TOPOLOGY } from './topology.ts'

export function taskEventsOver(parts: {
  readonly publisher: Publisher
  readonly consume: (
    queue: Queue,
    accept: (message: ConsumeMessage) => Promise<void>,
  ) => Promise<Consumer>
}): TaskEvents {
  const { publisher, consume } = parts
  return {
    publish: (message, options) => publisher.send(parcelOf(message), options),
    consume: (accept) =>
      consume(TOPOLOGY.taskEventsSeen, (message) => accept(taskEventOf(message))),
    trouble: () => publisher.trouble(),
  }
}

function parcelOf({ id, state, body }: TaskEventMessage): Parcel {
  return {
    to: { exchange: TOPOLOGY.taskEvents.name, key: state },
    content: Buffer.from(body, 'utf8'),
    properties: {
      contentType: CONTENT_TYPE,
      persistent: true,
      mandatory: true,
      messageId: id,
    },
    nobody: `no queue is bound to ${TOPOLOGY.taskEvents.name}: has notifications with the role intake been started?`,
  }
}

/** @throws UnreadableTaskEventError */
function taskEventOf({ content, fields, properties }: ConsumeMessage): TaskEventMessage {
  const body = readText(content)
  if (body === undefined) throw new UnreadableTaskEventError('its body is no UTF-8 text')
  return { id: String(properties.messageId ?? ''), state: fields.routingKey, body }
}
