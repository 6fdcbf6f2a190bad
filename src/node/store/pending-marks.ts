import type { Mark } from '../../register/messages.ts'

/**
 * The largest number of marks in memory. When there are more, the oldest one is dropped, which is safe: marks
 * are hints.
 */
const MARKS_MAX = 16_384

/** Chosen marks that are not in the store yet: at most one for each key, the newest. */
export class PendingMarks {
  /** By key, oldest first. */
  readonly #marks = new Map<string, Mark>()

  get isEmpty(): boolean {
    return this.#marks.size === 0
  }

  add(key: string, mark: Mark): void {
    this.#marks.delete(key)
    this.#marks.set(key, mark)
    if (this.#marks.size <= MARKS_MAX) return
    for (const oldest of this.#marks.keys()) {
      this.#marks.delete(oldest)
      break
    }
  }

  get(key: string): Mark | undefined {
    // V8 interns each string that it looks up in a Map, which costs more than the rest of a read.
    return this.isEmpty ? undefined : this.#marks.get(key)
  }

  /**
   * For a record that was saved: the mark is part of it, or was about a state that the record no longer has.
   */
  remove(key: string): void {
    if (!this.isEmpty) this.#marks.delete(key)
  }

  /** Takes out up to `limit` marks, oldest first, and hands each to `write`. */
  take(limit: number, write: (key: string, mark: Mark) => void): void {
    let taken = 0
    for (const [key, mark] of this.#marks) {
      if (taken === limit) return
      taken += 1
      write(key, mark)
      this.#marks.delete(key)
    }
  }
}
