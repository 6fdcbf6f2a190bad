import { createGroup } from '../../group/create-group.ts'
import { deleteGroup } from '../../group/delete-group.ts'
import type { EtagCondition } from '../../group/etag.ts'
import type { Command, Group } from '../../group/group.ts'
import type { Outcome } from '../../group/registry.ts'
import { updateGroup } from '../../group/update-group.ts'
import { AUTHOR } from '../../testing/author.ts'
import type { Chance } from '../chance.ts'
import type { GroupCommand, Seen } from './group-model.ts'
import type { Ending } from './witness.ts'

/** Draws what a client does next. `lastSeen` is the group as the client saw it last, for `If-Match`. */
export function drawCommand(chance: Chance, name: string, lastSeen: Group | undefined): GroupCommand {
  const kind = chance.of(['read', 'create', 'create', 'update', 'update', 'delete'] as const)
  if (kind === 'read') return { kind }
  if (kind === 'create') return { kind, incarnation: name, text: 'new' }
  const isConditional = lastSeen !== undefined && chance.happens(0.4)
  const etag = isConditional ? `"${lastSeen.version}-${lastSeen.incarnation}"` : undefined
  return kind === 'delete' ? { kind, etag } : { kind, etag, text: chance.happens(0.8) ? name : 'same' }
}

/** The real command that a change stands for. `now` is the connector's time. */
export function commandOf(
  command: Exclude<GroupCommand, { kind: 'read' }>,
  groupId: string,
  nowMs: number,
): Command {
  const now = new Date(nowMs).toISOString()
  if (command.kind === 'create') {
    return createGroup({
      groupId,
      description: command.text,
      now,
      author: AUTHOR,
      incarnation: command.incarnation,
    })
  }
  const ifMatch: EtagCondition | undefined =
    command.etag === undefined ? undefined : [{ isWeak: false, opaque: command.etag }]
  if (command.kind === 'delete') return deleteGroup({ ifMatch })
  return updateGroup({ patch: { description: command.text }, ifMatch, now, author: AUTHOR })
}

/** How a read ended. */
export function endingOfRead(outcome: Outcome<Group | undefined>): Ending {
  if (outcome.kind !== 'done') return endingOfFailure(outcome)
  return { kind: 'done', seen: `read ${show(outcome.value)}`, hasChanged: false }
}

/** If nothing can be read, nothing was changed. */
function endingOfFailure({ kind }: Exclude<Outcome<unknown>, { kind: 'done' }>): Ending {
  return { kind: kind === 'unreadable' ? 'not_applied' : kind }
}

/** How a change ended. */
export function endingOfChange(
  command: GroupCommand,
  outcome: Awaited<ReturnType<import('../../group/registry.ts').Registry['change']>>,
): Ending {
  if (outcome.kind !== 'done') return endingOfFailure(outcome)
  const decision = outcome.value
  if (decision.kind === 'refused')
    return { kind: 'done', seen: `refused ${decision.refusal}`, hasChanged: false }
  const hasChanged = decision.kind === 'changed'
  const verb = hasChanged ? PAST[command.kind] : 'unchanged'
  return { kind: 'done', seen: `${verb} ${show(decision.answer)}`, hasChanged }
}

const PAST = { read: 'read', create: 'created', update: 'updated', delete: 'deleted' } as const

function show(group: Group | undefined): Seen {
  return group === undefined ? 'nothing' : `${group.version}-${group.incarnation} ${group.description}`
}
