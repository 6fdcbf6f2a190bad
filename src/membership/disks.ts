import type { Logger } from 'pino'
import type { Clock } from '../process/clock.ts'
import type { ChangeResult } from './change-members.ts'
import type { LostDisk, LostDiskFinding } from './lost-disks.ts'

export type DisksOptions = Readonly<{
  /** Replaces a member by the empty node at an address. */
  replace: (nodeId: string, address: string) => Promise<ChangeResult>
  /**
   * The time after which an empty node at the address of a member replaces that member. In this time, a disk
   * that is mounted late can still come back.
   */
  replaceAfterMs: number
  clock: Clock
  logger: Pick<Logger, 'warn' | 'error'>
}>

/** A member that an empty node will replace, and when. */
export type Replacement = LostDisk & Readonly<{ dueMs: number }>

/**
 * Decides what to do about lost disks. A member is replaced if every look in `replaceAfterMs`, and at least
 * two looks, have shown the same loss.
 */
export class Disks {
  readonly #options: DisksOptions
  #loss: string | undefined
  #pending: Replacement | undefined

  constructor(options: DisksOptions) {
    this.#options = options
  }

  /** Names the disks that are lost beyond repair, as a sentence without its full stop. `undefined`: none. */
  get loss(): string | undefined {
    return this.#loss
  }

  /** The replacement that will happen, unless the member comes back before. */
  get pending(): Replacement | undefined {
    return this.#pending
  }

  /**
   * Handles the finding of one look at the nodes. Resolves when a replacement that follows from it has begun
   * or was refused.
   */
  async observe(finding: LostDiskFinding): Promise<void> {
    this.#noteLoss(finding.kind === 'beyond repair' ? finding.reason : undefined)
    const lost = finding.kind === 'replaceable' ? finding.lost : undefined
    const nowMs = this.#options.clock.nowMs()
    const pending = this.#pending
    if (lost === undefined || !isSame(lost, pending)) return this.#await(lost, nowMs)
    if (nowMs < pending!.dueMs) return
    // If the replacement is refused, the wait begins again.
    this.#pending = undefined
    await this.#onLost(lost)
  }

  #await(lost: LostDisk | undefined, nowMs: number): void {
    const { replaceAfterMs, logger } = this.#options
    const before = this.#pending
    if (before !== undefined && lost === undefined)
      logger.warn(fieldsOf(before), 'no empty node answers at the address of this member any more')
    this.#pending = lost === undefined ? undefined : { ...lost, dueMs: nowMs + replaceAfterMs }
    if (lost === undefined || replaceAfterMs === 0) return
    logger.warn(
      { ...fieldsOf(lost), seconds: replaceAfterMs / 1_000 },
      'an empty node answers at the address of a member: it replaces the member after these seconds, unless the data directory of the member comes back',
    )
  }

  #noteLoss(loss: string | undefined): void {
    if (loss !== undefined && loss !== this.#loss) this.#options.logger.error(`${loss}.`)
    this.#loss = loss
  }

  async #onLost(lost: LostDisk): Promise<void> {
    const { replace, logger } = this.#options
    const fields = fieldsOf(lost)
    logger.warn(fields, 'a member has lost its disk: the empty node at its address replaces it')
    const result = await replace(lost.member.nodeId, lost.newcomer.address)
    if (result.kind !== 'accepted') logger.warn({ ...fields, ...result }, 'the replacement has not begun')
  }
}

function isSame({ member, newcomer }: LostDisk, other: LostDisk | undefined): boolean {
  return member.nodeId === other?.member.nodeId && newcomer.nodeId === other.newcomer.nodeId
}

function fieldsOf({ member, newcomer }: LostDisk) {
  return { node: member.nodeId, newNode: newcomer.nodeId, address: newcomer.address }
}
