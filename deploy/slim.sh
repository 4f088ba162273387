#!/bin/sh
# Takes out of a folder of packages what the service never imports. The image is tried with a forecast after it was built.
set -eu
cd "$1"
rm -rf pandas pandas-*.dist-info pyarrow pyarrow-*.dist-info adbc_driver_duckdb bin include share
rm -rf onnxruntime/transformers onnxruntime/tools onnxruntime/quantization onnxruntime/datasets
rm -rf spx_assets serving talib/_ta_lib.c
# News are read, scored and told apart by the platform.
rm -rf tokenizers rapidfuzz huggingface_hub hf_xet
# Of the page of /docs the files that it names.
find swagger_ui/static -type f ! -name swagger-ui.css ! -name swagger-ui-bundle.js ! -name favicon-32x32.png ! -name LICENSE -delete
find . -depth -type d \( -name tests -o -name __pycache__ \) -exec rm -rf {} +
find . -type f \( -name '*.pyi' -o -name '*.c' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.h' -o -name '*.a' \) -delete
# Words of other languages for made-up examples, which nobody asks for.
find faker/providers -mindepth 2 -maxdepth 2 -type d ! -name 'en*' ! -name __pycache__ -exec rm -rf {} + 2>/dev/null || true
# Symbols only a debugger reads, 40 MB. Of this library alone: those that a wheel's builder patched do not survive it.
strip --strip-unneeded _polars_runtime_32/*.so
# Of plotly the page needs one file.
find plotly -type f ! -path 'plotly/package_data/plotly.min.js' ! -path 'plotly/__init__.py' -delete
find plotly -type d -empty -delete
rm -rf jupyterlab_plotly narwhals
# Read by tools for ONNX files, not by its runtime.
rm -rf numpy/f2py google flatbuffers _duckdb-stubs
