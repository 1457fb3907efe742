import type { ToolSettings } from '../engine/connector.js'

/** The command settings of a configuration that has none. */
export const plainTools: ToolSettings = {
  dumpPrefix: [],
  dumpSuffix: [],
  restorePrefix: [],
  restoreSuffix: [],
  env: {},
  dumpEnv: {},
  restoreEnv: {},
  inheritEnv: true,
}
