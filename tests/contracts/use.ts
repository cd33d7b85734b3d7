// What a front end writes with the generated types; MODULES is the folder of the modules.
import type { ClientFrame, Operations, ServerFrame } from "MODULES/datafeed/client_generated/datafeed_v1";
import { WS_PATH } from "MODULES/datafeed/client_generated/datafeed_v1";
import type { ServerFrame as BrokerFrame } from "MODULES/broker/client_generated/broker_v1";

const subscribe: ClientFrame = { type: "quotes.subscribe", payload: { symbols: [], fast_symbols: ["BTCUSD"] }, id: 1 };
// @ts-expect-error a quotes subscription does not have the payload of bars
const wrong: ClientFrame = { type: "quotes.subscribe", payload: { symbol: "BTCUSD", resolution: "1" } };
const query: Operations["getBars"]["params"]["query"] = { symbol: "AAPL", resolution: "1D", count_back: 3 };

export function closeOf(frame: ServerFrame): number | string | undefined {
  switch (frame.type) {
    case "bars.update":
      return frame.payload.payload.close;
    case "error":
      return frame.payload.code;
    default:
      return undefined;
  }
}

export function connected(frame: BrokerFrame): boolean {
  return frame.type === "broker-connection.update" && frame.payload.payload.status === 1;
}

export const used: unknown[] = [subscribe, wrong, query, WS_PATH];
