import { type Ballot, formatBallot } from '../../src/register/ballot.ts'
import type { KeyRecord, Request } from '../../src/register/messages.ts'
import type { Outcome } from '../../src/register/operation.ts'
import { formatState, type State } from '../../src/register/state.ts'
import { type ConversationEvent, decodeText } from './scripted-cluster.ts'

/**
 * A conversation as text, one event a line. A line with an arrow shows a request and the answer of the node.
 */
export function formatConversation(events: readonly ConversationEvent[]): string {
  return events
    .map((event) => `${formatEvent(event)}\n`)
    .join('')
    .trimStart()
}

function formatEvent(event: ConversationEvent): string {
  switch (event.kind) {
    case 'note':
      return `\n-- ${event.text}`
    case 'submitted':
      return `${event.connector}: ${event.operation.name}`
    case 'expired':
      return `${event.connector}: the time of "${event.operation.name}" is over`
    case 'finished':
      return `${event.connector}: ${event.operation.name} => ${formatOutcome(event.outcome)}`
    case 'suspicion':
      return `${event.connector}: n${event.node + 1} is ${event.isSuspect ? 'suspect' : 'up again'}`
    case 'backoff':
      return `${event.connector}: backs off (${event.retries})`
    case 'handled': {
      const { connector, node, request, answer } = event
      const verdict = request.kind === 'mark' ? '' : answer.ok ? 'ok: ' : 'REFUSED: '
      const arrow = `${connector} -> n${node + 1}  ${formatRequest(request)}`
      return `${arrow.padEnd(52)}  ${verdict}${formatRecord(answer.record)}`
    }
    case 'dropped': {
      const { connector, node, request, what } = event
      const arrow = what === 'request' ? '-x' : '<x'
      return `${connector} ${arrow} n${node + 1}  ${formatRequest(request)}${what === 'answer' ? ' (its answer)' : ''} is lost`
    }
    default:
      return event satisfies never
  }
}

function formatRequest(request: Request): string {
  switch (request.kind) {
    case 'prepare':
      return `prepare ${formatBallot(request.ballot)}`
    case 'accept':
    case 'learn': {
      const { kind, ballot, state, next } = request
      return `${kind} ${formatBallot(ballot)} ${formatText(state)}, next ${formatBallot(next)}`
    }
    case 'mark':
    case 'stub':
      return `${request.kind} ${formatBallot(request.ballot)} ${request.writeId.proposerId}.${request.writeId.sequence}`
    case 'drop':
      return `drop ${formatBallot(request.promised)}`
    case 'read':
      return 'read'
    default:
      return request satisfies never
  }
}

function formatRecord({ promised, accepted, state, chosen, isStub }: KeyRecord): string {
  const vote = accepted === undefined ? (isStub ? 'a stub' : 'nothing') : formatVote(accepted, state, chosen)
  return `has ${vote}, promised ${formatBallot(promised)}`
}

function formatVote(accepted: Ballot, state: State, isChosen: boolean): string {
  return `${formatBallot(accepted)} ${formatText(state)}${isChosen ? ' chosen' : ''}`
}

function formatText(state: State): string {
  const text = decodeText(state.value)
  return text === undefined ? formatState(state) : `${formatState(state)} "${text}"`
}

function formatOutcome(outcome: Outcome): string {
  return outcome.kind === 'decided' ? `${outcome.result}` : outcome.kind
}
