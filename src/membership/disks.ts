import type { Logger } from 'pino'
import type { ChangeResult } from './change-members.ts'
import type { LostDisk, LostDiskFinding } from './lost-disks.ts'

/** What is done about lost disks: a member is replaced when two looks in a row have shown the same loss. */
export class Disks {
  readonly #replace: (nodeId: string, address: string) => Promise<ChangeResult>
  readonly #logger: Pick<Logger, 'warn' | 'error'>
  #loss: string | undefined
  #suspected: LostDisk | undefined

  /** @param replace puts the empty node at an address in the place of a member */
  constructor(
    replace: (nodeId: string, address: string) => Promise<ChangeResult>,
    logger: Pick<Logger, 'warn' | 'error'>,
  ) {
    this.#replace = replace
    this.#logger = logger
  }

  /** Disks that are lost beyond repair, as a sentence without its full stop; `undefined`: none are. */
  get loss(): string | undefined {
    return this.#loss
  }

  /**
   * Takes into account what a look at the nodes has found. Resolves when what follows from it is begun, or
   * refused.
   */
  async observe(finding: LostDiskFinding): Promise<void> {
    this.#noteLoss(finding.kind === 'beyond repair' ? finding.reason : undefined)
    const lost = finding.kind === 'replaceable' ? finding.lost : undefined
    const isSure = lost !== undefined && isSame(lost, this.#suspected)
    this.#suspected = isSure ? undefined : lost
    if (isSure) await this.#onLost(lost)
  }

  #noteLoss(loss: string | undefined): void {
    if (loss !== undefined && loss !== this.#loss) this.#logger.error(`${loss}.`)
    this.#loss = loss
  }

  async #onLost({ member, newcomer }: LostDisk): Promise<void> {
    const fields = { node: member.nodeId, newNode: newcomer.nodeId, address: newcomer.address }
    this.#logger.warn(
      fields,
      'a member has lost its disk: the empty node in its place becomes a member instead',
    )
    const result = await this.#replace(member.nodeId, newcomer.address)
    if (result.kind !== 'accepted')
      this.#logger.warn({ ...fields, ...result }, 'the replacement was not begun')
  }
}

function isSame({ member, newcomer }: LostDisk, other: LostDisk | undefined): boolean {
  return member.nodeId === other?.member.nodeId && newcomer.nodeId === other.newcomer.nodeId
}
