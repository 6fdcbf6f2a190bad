/** Keeps the processes of a plan running until they are to be stopped. */
import { type Clock, systemClock } from '../../process/clock.ts'
import { classicQuorum } from '../../register/quorum.ts'
import { EXIT } from '../exit-codes.ts'
import type { ServicePlan } from './cluster-plan.ts'
import { RestartPolicy } from './restart-policy.ts'
import { type End, type ServiceHandlers, ServiceProcess } from './service-process.ts'

/** A service that runs. */
export type RunningService = Pick<ServiceProcess, 'stop' | 'kill'>

export type SupervisorOptions = Readonly<{
  plan: readonly ServicePlan[]
  /** Prints a line of a service, or of the supervisor about the service. */
  print: (name: string, line: string) => void
  /** How long a service may take to drain. It has five seconds more to close its files. */
  drainTimeoutMs: number
  /**
   * Called when the cluster cannot become ready, because too many services failed at their start. It is
   * called at most once, and only before `markReady`.
   */
  onHopeless: (reason: string) => void
  /** Default: the system's. */
  clock?: Pick<Clock, 'after'>
  /** Starts a service. Default: starts a process of its own. */
  launch?: (plan: ServicePlan, handlers: ServiceHandlers) => RunningService
}>

/** The time, after the drain timeout, in which a process closes its files. */
const GRACE_MS = 5_000

/** When a service has ended this many times in a row right after its start, a line says so. */
const QUICK_ENDS_SUSPICIOUS = 3

type Service = {
  readonly plan: ServicePlan
  readonly policy: RestartPolicy
  process: RunningService | undefined
  /** Cancels the next start, if one is scheduled. */
  cancelRestart: (() => void) | undefined
  /** Whether it ended by itself, with an error, before the cluster was ready for the first time. */
  hasFailedAtStart: boolean
}

export class Supervisor {
  readonly #options: Required<SupervisorOptions>
  readonly #services: readonly Service[]
  #phase: 'starting' | 'ready' | 'hopeless' | 'stopping' = 'starting'

  constructor(options: SupervisorOptions) {
    const launch: SupervisorOptions['launch'] = (plan, handlers) => new ServiceProcess(plan, handlers)
    this.#options = { clock: systemClock, launch, ...options }
    this.#services = options.plan.map((plan) => ({
      plan,
      policy: new RestartPolicy(),
      process: undefined,
      cancelRestart: undefined,
      hasFailedAtStart: false,
    }))
  }

  /** Starts the services, or those of one kind. */
  start(kind?: ServicePlan['kind']): void {
    for (const service of this.#services) {
      if (kind === undefined || service.plan.kind === kind) this.#start(service)
    }
  }

  /** Call it when the cluster is ready. From then on every service is started again whenever it ends. */
  markReady(): void {
    if (this.#phase === 'starting') this.#phase = 'ready'
  }

  /**
   * Stops the connectors, then what keeps the groups. Resolves when all are gone: with `false` if one had to
   * be killed.
   */
  async stop(): Promise<boolean> {
    this.#phase = 'stopping'
    for (const { cancelRestart } of this.#services) cancelRestart?.()
    // Connectors first: the requests they have accepted still need the others.
    const isConnector = ({ plan }: Service) => plan.kind === 'connector'
    const connectors = await this.#stopAll(this.#services.filter(isConnector))
    const others = await this.#stopAll(this.#services.filter((service) => !isConnector(service)))
    return connectors && others
  }

  /** Ends all processes at once. */
  kill(): void {
    for (const { process } of this.#services) process?.kill()
  }

  async #stopAll(services: readonly Service[]): Promise<boolean> {
    const results = await Promise.all(
      services.map(async ({ plan, process }) => {
        const isClean = (await process?.stop(this.#options.drainTimeoutMs + GRACE_MS)) ?? true
        if (!isClean) this.#options.print(plan.name, 'did not stop in time and was killed')
        return isClean
      }),
    )
    return results.every((isClean) => isClean)
  }

  #start(service: Service): void {
    const { name } = service.plan
    service.process = this.#options.launch(service.plan, {
      onLine: (line) => this.#options.print(name, line),
      onEnd: (end) => this.#onEnd(service, end),
    })
  }

  #onEnd(service: Service, end: End): void {
    service.process = undefined
    if (this.#phase === 'stopping' || this.#phase === 'hopeless') return
    const { print } = this.#options
    const { name } = service.plan
    if (end.code === EXIT.removed) {
      return print(name, 'is no longer a member of the cluster, and is not started again')
    }
    if (this.#phase === 'starting' && end.code !== null && end.code !== 0) {
      service.hasFailedAtStart = true
      if (this.#isHopeless()) {
        this.#phase = 'hopeless'
        return this.#options.onHopeless(
          `${name} could not start (${describeEnd(end)}): its lines above say why`,
        )
      }
    }
    const { delayMs, quickEnds } = service.policy.onEnd(end.livedMs)
    print(name, `${describeEnd(end)}; it is started again in ${delayMs / 1_000} s`)
    if (quickEnds >= QUICK_ENDS_SUSPICIOUS) print(name, describeLoop(service.plan, quickEnds))
    service.cancelRestart = this.#options.clock.after(delayMs, () => this.#start(service))
  }

  /** The cluster cannot become ready without all connectors and servers, and a quorum of its nodes. */
  #isHopeless(): boolean {
    const nodeCount = this.#services.filter(({ plan }) => plan.kind === 'node').length
    const failed = this.#services.filter(({ hasFailedAtStart }) => hasFailedAtStart)
    const failedNodes = failed.filter(({ plan }) => plan.kind === 'node').length
    return failedNodes < failed.length || failedNodes > nodeCount - classicQuorum(nodeCount)
  }
}

function describeEnd({ code, signal }: End): string {
  return signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`
}

const EFFECTS: Readonly<Record<ServicePlan['kind'], string>> = {
  node: 'the cluster serves as long as a quorum of nodes is left',
  server: 'the other servers keep their data',
  connector: 'nothing is lost, since a connector keeps no data',
}

function describeLoop({ kind }: ServicePlan, quickEnds: number): string {
  const effect = EFFECTS[kind]
  return `it has ended ${quickEnds} times in a row right after its start: its lines above say why. Meanwhile ${effect}`
}
