import type { ApiClient, MemberBackupAnswer, Reply, StoredMember } from '../api-client.ts'
import { counted } from '../counted.ts'
import { CommandFailure } from '../failure.ts'
import { printable } from '../format-group.ts'
import { toFailure } from '../group-command.ts'
import { patiently } from '../patiently.ts'
import { untilAborted } from '../until-aborted.ts'
import type { BackupOptions } from './backup.ts'
import { PATIENCE_MS, PAUSE_MS } from './patience.ts'

/** As many members as a node gives in one page of a scan. */
const PAGE_MEMBERS = 512

/**
 * The members of all groups, page by page, beside a walk over the groups in the same order. The members of
 * groups that the walk does not come to are left out: those groups were created meanwhile, or cannot be read.
 */
export class MemberPages {
  readonly #client: Pick<ApiClient, 'backUpMembers'>
  readonly #options: BackupOptions
  readonly #groupCount: () => number
  #page: readonly StoredMember[] = []
  #at = 0
  /** The page that was asked for. `undefined`: there are no more. */
  #asked: Promise<Reply<MemberBackupAnswer>> | undefined

  /** @param groupCount how many groups the file has, for messages */
  constructor(client: Pick<ApiClient, 'backUpMembers'>, options: BackupOptions, groupCount: () => number) {
    this.#client = client
    this.#options = options
    this.#groupCount = groupCount
    this.#asked = this.#ask(undefined)
  }

  /**
   * The members of a group. Call it for each group, in the order of their ids.
   *
   * @throws CommandFailure when a page cannot be read, or when a member cannot
   */
  async *of(groupId: string): AsyncGenerator<readonly StoredMember[]> {
    const id = Buffer.from(groupId)
    const orderOf = (member: StoredMember) => Buffer.compare(Buffer.from(member.groupId), id)
    while (await this.#fill()) {
      while (this.#at < this.#page.length && orderOf(this.#page[this.#at]!) < 0) this.#at += 1
      const first = this.#at
      while (this.#at < this.#page.length && orderOf(this.#page[this.#at]!) === 0) this.#at += 1
      if (this.#at > first) yield this.#page.slice(first, this.#at)
      if (this.#at < this.#page.length) return
    }
  }

  /** @returns whether there is a member that was not taken */
  async #fill(): Promise<boolean> {
    while (this.#at >= this.#page.length) {
      if (this.#asked === undefined) return false
      const { members, unreadable = [], after } = await this.#answer(this.#asked)
      const [lost] = unreadable
      if (lost !== undefined && !this.#options.skipUnreadable) {
        throw new CommandFailure(
          `what the nodes hold for the member "${printable(lost.memberId)}" of the group "${printable(lost.groupId)}" ` +
            `cannot be read (the log of the connector says more), so the backup would not be complete: ` +
            `${this.#options.sink.discarded}. --skip-unreadable leaves such members out`,
        )
      }
      this.#page = members
      this.#at = 0
      this.#asked = after === undefined ? undefined : this.#ask(after)
    }
    return true
  }

  #ask(after: string | undefined): Promise<Reply<MemberBackupAnswer>> {
    const { signal, output, patienceMs = PATIENCE_MS } = this.#options
    const patience = { patienceMs, pauseMs: PAUSE_MS, nowMs: output.nowMs, signal }
    return patiently(() => this.#client.backUpMembers(after, PAGE_MEMBERS), patience)
  }

  async #answer(asked: Promise<Reply<MemberBackupAnswer>>): Promise<MemberBackupAnswer> {
    const { url, sink, signal } = this.#options
    const reply = await untilAborted(asked, signal)
    if (reply.kind === 'answered') return reply.value
    // A connector of an older version, or of another engine, keeps no members.
    if (reply.kind === 'problem' && reply.problem.code === 'not_found') return { members: [] }
    const { message, exitCode } = toFailure(reply, url)
    const count = counted(this.#groupCount(), 'group')
    throw new CommandFailure(
      `${message}. The backup was given up after ${count}; ${sink.discarded}`,
      exitCode,
    )
  }
}
