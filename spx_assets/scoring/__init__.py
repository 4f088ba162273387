"""Model artifacts and how they forecast, with onnxruntime and numpy alone.

Belongs here: the manifest, the artifact store, who is served, calibration and intervals as applied, ONNX calls, forecasts
over the past. Does not: training, the gate, HTTP.
"""
