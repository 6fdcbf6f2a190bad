/** Writes a run as a conversation between the processes, with a line for each event. */
import { formatBallot } from '../../register/ballot.ts'
import { isDamage } from '../../register/damage.ts'
import type { Holding, KeyRecord, Reply as NodeReply, Request } from '../../register/messages.ts'
import type { Outcome } from '../../register/operation.ts'
import { formatState } from '../../register/state.ts'
import type { Command, Reply } from './command.ts'
import type { WorldOperation } from './connector.ts'
import { nodeIdOf } from './epoch.ts'
import { formatKey, MEMBERSHIP } from './key.ts'
import type { Parcel } from './network.ts'

export class Teller {
  readonly lines: string[] = []

  note(text: string): void {
    this.lines.push(text)
  }

  called({ name, connector }: WorldOperation, command: Command): void {
    this.note(`${connector.name}  ${name}: ${formatCommand(command)}`)
  }

  answered({ name, connector }: WorldOperation, outcome: Outcome): void {
    const text = outcome.kind === 'decided' ? formatReply(outcome.result as Reply) : outcome.kind
    this.note(`${connector.name}  ${name} is answered: ${text}`)
  }

  delivered(parcel: Parcel): void {
    this.note(formatParcel(parcel))
  }

  lost(parcel: Parcel, isLate: boolean): void {
    this.note(`${formatParcel(parcel)}  … ${isLate ? 'is taken for lost, but will arrive' : 'is lost'}`)
  }
}

function formatParcel(parcel: Parcel): string {
  const { kind, name, request, answer } = parcel
  const nodeId = nodeIdOf(parcel.node)
  const key = parcel.key === MEMBERSHIP ? `${formatKey(MEMBERSHIP)}: ` : ''
  switch (kind) {
    case 'timer':
      return `${name}  has waited long enough`
    case 'loss':
      return `${name}  hears that its ${request?.kind ?? 'list'} to ${nodeId} is lost`
    case 'mismatch':
      return `${nodeId} → ${name}  is in another epoch`
    case 'list':
      return `${name} → ${nodeId}  list all that you hold`
    case 'listing':
      return `${nodeId} → ${name}  ${parcel.listing!.map(formatHolding).join('; ')}`
    case 'request':
      return `${name} → ${nodeId}  ${key}${formatRequest(request!)}`
    case 'answer':
      return `${nodeId} → ${name}  ${key}${formatAnswer(request!, answer!)}`
    default:
      return kind satisfies never
  }
}

/** `accept 1.fast 1.3@1, next 2.fast` */
export function formatRequest(request: Request): string {
  switch (request.kind) {
    case 'prepare':
      return `prepare ${formatBallot(request.ballot)}`
    case 'accept':
    case 'learn':
      return `${request.kind} ${formatBallot(request.ballot)} ${formatState(request.state)}, next ${formatBallot(request.next)}`
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

/** `refused to accept, promised 4.2, accepted 3.2 2.1@1` */
export function formatAnswer({ kind }: Request, reply: NodeReply): string {
  if (isDamage(reply)) return `no answer to ${kind}, ${formatHolding(reply)}`
  const { ok, record } = reply
  return `${ok ? 'ok' : 'refused'} to ${kind}, ${formatRecord(record)}`
}

/** A record, or `damaged, promised at most round 4`. */
export function formatHolding(holding: Holding): string {
  return isDamage(holding) ? `damaged, promised at most round ${holding.promiseBound}` : formatRecord(holding)
}

/** `promised 4.2, accepted 3.2 2.1@1 (chosen)` */
export function formatRecord({ promised, accepted, state, chosen, isStub }: KeyRecord): string {
  const vote =
    accepted === undefined
      ? `accepted none${isStub ? ' (stub)' : ''}`
      : `accepted ${formatBallot(accepted)} ${formatState(state)}${chosen ? ' (chosen)' : ''}`
  return `promised ${formatBallot(promised)}, ${vote}`
}

function formatCommand(command: Command): string {
  const version = 'version' in command ? command.version : undefined
  return version === undefined ? command.kind : `${command.kind} if version ${version}`
}

function formatReply({ kind, seen }: Reply): string {
  if (seen === 0) return `${kind}, nothing there`
  return `${kind}, version ${(seen >> 8) & 255} by ${seen & 255} of the one that ${seen >> 16} created`
}
