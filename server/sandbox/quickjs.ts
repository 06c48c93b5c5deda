import variant from "@jitl/quickjs-ng-wasmfile-release-sync";
import {
  newQuickJSWASMModuleFromVariant,
  type QuickJSSyncVariant,
  type QuickJSWASMModule,
} from "quickjs-emscripten-core";

/** A WebAssembly instance of its own, with a memory of its own. */
export function loadQuickJs(): Promise<QuickJSWASMModule> {
  // The package's types describe its CommonJS build, whose variant is one `default` further in; Node loads the ESM build.
  return newQuickJSWASMModuleFromVariant(variant as unknown as QuickJSSyncVariant);
}
