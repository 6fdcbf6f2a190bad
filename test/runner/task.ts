/** The tasks of a run: files of tests, and programs that check the tree. */

/** Outcome of one task. */
export type Result = Readonly<{
  /** Tests, with those inside others. */
  passed: number
  skipped: number
  /** One text for each failure: which test in which file, and why. None: the task has succeeded. */
  failures: readonly string[]
  /** The failures of the first of two attempts, when the second attempt had none. */
  unstable?: readonly string[]
  /** Further output of the task. */
  notes: readonly string[]
  /** The tests that are not part of another one, and how long each took. */
  timed: readonly Readonly<{ name: string; file: string; ms: number }>[]
  /** The CPU time of its process and of all that this one started, if it is known. */
  cpuMs?: number | undefined
}>

export type Task = Readonly<{
  name: string
  /** Tasks of one kind have slots of their own. */
  kind: string
  run: () => Promise<Result>
}>

export type Finished = Readonly<{ task: Task; ms: number; result: Result }>

/**
 * Runs all tasks, each as soon as there is a slot for it. A slot takes the first task of its kind that is
 * left, and then, so that no core is idle at the end, the first of any kind.
 *
 * @param slots the kind of each slot
 * @param onFinished is called after each task
 */
export async function runTasks(
  tasks: readonly Task[],
  slots: readonly string[],
  onFinished: (finished: Finished) => void,
): Promise<Finished[]> {
  const left = [...tasks]
  const all: Finished[] = []
  const work = async (kind: string) => {
    while (left.length > 0) {
      const own = left.findIndex((task) => task.kind === kind)
      const [task] = left.splice(Math.max(0, own), 1)
      const startMs = performance.now()
      const result = await task!.run().catch((error: unknown) => failed(String(error)))
      const finished = { task: task!, ms: performance.now() - startMs, result }
      all.push(finished)
      onFinished(finished)
    }
  }
  await Promise.all(slots.map(work))
  return all
}

/** With more failed tasks than this, the tree is broken, and no task is run again. */
const AGAIN_MAX = 3

/**
 * Runs failed tasks once more, each alone on the machine. Tests of processes depend on time, and a machine
 * that other programs use too can be slower than any wait of a test. A task that has no failure then has
 * passed, and its `unstable` says what failed before. A real fault fails both times.
 */
export async function runAgain(
  all: readonly Finished[],
  onFinished: (finished: Finished) => void,
): Promise<Finished[]> {
  const broken = all.filter(({ result }) => result.failures.length > 0)
  if (broken.length > AGAIN_MAX) return [...all]
  const tasks = broken.map(({ task }) => task)
  const repeated = new Map((await runTasks(tasks, ['alone'], onFinished)).map((one) => [one.task, one]))
  return all.map((first) => {
    const second = repeated.get(first.task)
    if (second === undefined) return first
    const unstable = second.result.failures.length === 0 ? first.result.failures : []
    return { ...second, result: { ...second.result, unstable } }
  })
}

/** The result of a task that has no tests in it. */
export function failed(...failures: readonly string[]): Result {
  return { passed: 0, skipped: 0, failures, notes: [], timed: [] }
}
