/**
 * The lives that this connector has seen last, by group. They are hints: whoever uses one checks it against
 * the group.
 */
export class KnownLives {
  readonly #countMax: number
  /** The one that was used last is last. */
  readonly #lives = new Map<string, string>()

  constructor(countMax: number) {
    this.#countMax = countMax
  }

  get(groupId: string): string | undefined {
    return this.#lives.get(groupId)
  }

  /** `undefined`: the group does not exist. */
  note(groupId: string, life: string | undefined): void {
    this.#lives.delete(groupId)
    if (life === undefined) return
    this.#lives.set(groupId, life)
    if (this.#lives.size > this.#countMax) this.#lives.delete(this.#lives.keys().next().value!)
  }
}
