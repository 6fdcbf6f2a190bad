import type { Logger } from 'pino'
import type { Clock } from '../process/clock.ts'
import type { ChangeResult } from './change-members.ts'
import type { LostDisk, LostDiskFinding } from './lost-disks.ts'

export type DisksOptions = Readonly<{
  /** Puts the empty node at an address in the place of a member. */
  replace: (nodeId: string, address: string) => Promise<ChangeResult>
  /**
   * How long an empty node stands in the place of a member before it replaces that member: a disk that is
   * only mounted late comes back within it.
   */
  replaceAfterMs: number
  clock: Clock
  logger: Pick<Logger, 'warn' | 'error'>
}>

/** A member that an empty node is going to replace, and when. */
export type Replacement = LostDisk & Readonly<{ dueMs: number }>

/**
 * What is done about lost disks. A member is replaced when each look has shown the same loss for long enough,
 * and at least two looks have.
 */
export class Disks {
  readonly #options: DisksOptions
  #loss: string | undefined
  #pending: Replacement | undefined

  constructor(options: DisksOptions) {
    this.#options = options
  }

  /** Disks that are lost beyond repair, as a sentence without its full stop; `undefined`: none are. */
  get loss(): string | undefined {
    return this.#loss
  }

  /** The replacement that is going to happen, unless the member comes back before. */
  get pending(): Replacement | undefined {
    return this.#pending
  }

  /**
   * Takes into account what a look at the nodes has found. Resolves when what follows from it is begun, or
   * refused.
   */
  async observe(finding: LostDiskFinding): Promise<void> {
    this.#noteLoss(finding.kind === 'beyond repair' ? finding.reason : undefined)
    const lost = finding.kind === 'replaceable' ? finding.lost : undefined
    const nowMs = this.#options.clock.nowMs()
    const pending = this.#pending
    if (lost === undefined || !isSame(lost, pending)) return this.#await(lost, nowMs)
    if (nowMs < pending!.dueMs) return
    // After a refusal, everything is looked at anew.
    this.#pending = undefined
    await this.#onLost(lost)
  }

  #await(lost: LostDisk | undefined, nowMs: number): void {
    const { replaceAfterMs, logger } = this.#options
    const before = this.#pending
    if (before !== undefined && lost === undefined)
      logger.warn(fieldsOf(before), 'no empty node stands in the place of this member any more')
    this.#pending = lost === undefined ? undefined : { ...lost, dueMs: nowMs + replaceAfterMs }
    if (lost === undefined || replaceAfterMs === 0) return
    logger.warn(
      { ...fieldsOf(lost), seconds: replaceAfterMs / 1_000 },
      'an empty node answers in the place of a member: it replaces the member after these seconds, unless the data directory of the member comes back',
    )
  }

  #noteLoss(loss: string | undefined): void {
    if (loss !== undefined && loss !== this.#loss) this.#options.logger.error(`${loss}.`)
    this.#loss = loss
  }

  async #onLost(lost: LostDisk): Promise<void> {
    const { replace, logger } = this.#options
    const fields = fieldsOf(lost)
    logger.warn(fields, 'a member has lost its disk: the empty node in its place becomes a member instead')
    const result = await replace(lost.member.nodeId, lost.newcomer.address)
    if (result.kind !== 'accepted') logger.warn({ ...fields, ...result }, 'the replacement was not begun')
  }
}

function isSame({ member, newcomer }: LostDisk, other: LostDisk | undefined): boolean {
  return member.nodeId === other?.member.nodeId && newcomer.nodeId === other.newcomer.nodeId
}

function fieldsOf({ member, newcomer }: LostDisk) {
  return { node: member.nodeId, newNode: newcomer.nodeId, address: newcomer.address }
}
