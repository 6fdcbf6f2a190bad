import type { ChangeResult, MemberChanges } from '../../src/engines/engine.ts'

const MEMBERS = ['n1', 'n2', 'n3'].map((nodeId) => ({ nodeId, address: `${nodeId}:8001` }))

/** Changes of the membership whose outcome a test sets; by default, they succeed. */
export class ScriptedMembers implements MemberChanges {
  result: ChangeResult = {
    kind: 'accepted',
    change: { clusterId: 'c', epoch: 2, members: MEMBERS, outgoing: MEMBERS },
  }
  /** What was asked for, in order. */
  readonly asked: string[] = []

  add = (address: string) => this.#answer(`add ${address}`)
  replace = (nodeId: string, address: string) => this.#answer(`replace ${nodeId} by ${address}`)
  remove = (nodeId: string) => this.#answer(`remove ${nodeId}`)

  async #answer(text: string): Promise<ChangeResult> {
    this.asked.push(text)
    return this.result
  }
}
