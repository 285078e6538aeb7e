using Nfr.Bench;
using Nfr.Bench.Traffic;

return args switch
{
    ["generate", .. var rest] => TrafficGenerator.Run(rest),
    ["engine", .. var rest] => EngineLoad.Run(rest),
    ["read", .. var rest] => ReadComparison.Run(rest),
    ["stages", .. var rest] => StageTimes.Run(rest),
    ["indicators", .. var rest] => IndicatorBench.Run(rest),
    ["compare", .. var rest] => ToolComparison.Run(rest),
    ["logs", .. var rest] => LogLines.Run(rest),
    ["score", .. var rest] => ScoreDay.Run(rest),
    _ => MicroBenches.Run(args),
};
