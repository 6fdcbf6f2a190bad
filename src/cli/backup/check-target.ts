/** Checks, before anything is written, whether a backup may be restored into a cluster. */
import type { Group } from '../../group/group.ts'
import { sameGroup } from '../../group/same-group.ts'
import type { ApiClient, Reply } from '../api-client.ts'
import { CommandFailure } from '../failure.ts'
import { printable } from '../format-group.ts'
import { toFailure } from '../group-command.ts'
import { type Patience, patiently } from '../patiently.ts'

export type TargetOptions = Readonly<{
  client: Pick<ApiClient, 'backUp'>
  url: string
  patience: Patience
}>

const PAGE_GROUPS = 512

/** @throws CommandFailure when the cluster holds any group */
export async function requireEmpty({ client, url, patience }: TargetOptions): Promise<void> {
  const first = await firstId({ client, url, patience })
  if (first === undefined) return
  throw new CommandFailure(
    `the cluster at ${url} is not empty (it holds ${quoted(first)}), and nothing was written: restore into a new ` +
      'cluster. If the groups are there because a restore of this backup was interrupted, add --resume',
  )
}

/** The id of the first group of the cluster, if there is one. A page can be empty without being the last. */
async function firstId({ client, url, patience }: TargetOptions): Promise<string | undefined> {
  for (let after: string | undefined; ; ) {
    const page = answerOf(await patiently(() => client.backUp(after, 1), patience), url)
    const first = page.groups[0]?.groupId ?? page.unreadable?.[0]
    if (first !== undefined || page.after === undefined) return first
    patience.signal.throwIfAborted()
    after = page.after
  }
}

/**
 * Checks that every group of the cluster is in the backup, with the same content.
 *
 * @param backup the groups of the backup, in the order of their ids
 * @returns how many groups are there already
 * @throws CommandFailure at the first group that is not in the backup, or differs
 */
export async function requirePartOf(
  { client, url, patience }: TargetOptions,
  backup: AsyncIterator<Group, unknown>,
): Promise<number> {
  let count = 0
  for (let after: string | undefined; ; ) {
    const page = answerOf(await patiently(() => client.backUp(after, PAGE_GROUPS), patience), url)
    const [unreadable] = page.unreadable ?? []
    if (unreadable !== undefined) throw foreign(url, unreadable, 'cannot be read')
    for (const group of page.groups) {
      const found = await skipTo(backup, group.groupId)
      if (found === undefined || found.groupId !== group.groupId)
        throw foreign(url, group.groupId, 'is not in the backup')
      if (!sameGroup(found, group)) throw foreign(url, group.groupId, 'differs from the backup')
      count += 1
    }
    patience.signal.throwIfAborted()
    if (page.after === undefined) return count
    after = page.after
  }
}

/** The first group of the backup that has this id or a later one. Backup and cluster have the same order. */
async function skipTo(backup: AsyncIterator<Group, unknown>, groupId: string): Promise<Group | undefined> {
  const id = Buffer.from(groupId)
  while (true) {
    const next = await backup.next()
    if (next.done) return undefined
    if (Buffer.compare(Buffer.from(next.value.groupId), id) >= 0) return next.value
  }
}

function foreign(url: string, groupId: string, what: string): CommandFailure {
  return new CommandFailure(
    `the cluster at ${url} holds ${quoted(groupId)}, which ${what}; nothing was written. A restore can be resumed only ` +
      'if nothing else has changed the cluster',
  )
}

function answerOf<T>(reply: Reply<T>, url: string): T {
  if (reply.kind === 'answered') return reply.value
  const { message, exitCode } = toFailure(reply, url)
  throw new CommandFailure(`${message}. Nothing was written`, exitCode)
}

function quoted(groupId: string): string {
  return `"${printable(groupId)}"`
}
