import { afterAll } from './leave-nothing.ts'
import { LocalCluster, type LocalClusterOptions } from './local-cluster.ts'

/**
 * One cluster for several tests of a file: it starts with the first of them, and stops after the last. Each
 * test calls the function that is returned, and gets the cluster with every process running and every node
 * reachable: what the test before it has killed or stopped is mended first. A cluster that cannot be mended
 * fails that test, and the next one gets a new cluster. Groups stay from test to test, so each test uses ids
 * of its own.
 */
export function sharedCluster(options: LocalClusterOptions = {}): () => Promise<LocalCluster> {
  let cluster: LocalCluster | undefined
  const stop = async () => {
    await cluster?.stop()
    cluster = undefined
  }
  afterAll(stop)
  return async () => {
    try {
      if (cluster === undefined) cluster = await LocalCluster.start(options)
      else await cluster.heal()
      return cluster
    } catch (error) {
      await stop()
      throw error
    }
  }
}

/**
 * The cluster of all tests that need nothing special: three nodes and two connectors, all in the process of
 * the test. The test runner runs the files that use it in few processes, and all files of a process share
 * this cluster. So the groups, the metrics and the logs of tests of other files are there too.
 */
export const commonCluster = sharedCluster({ connectors: 2, processes: [] })

/** The same with processes, but for the second connector: for tests that kill or suspend some of them. */
export const clusterOfProcesses = sharedCluster({
  connectors: 2,
  processes: ['node1', 'node2', 'node3', 'connector1'],
})
