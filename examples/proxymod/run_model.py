"""run_model.py MODEL CONFIGURATION…: calls the function that MODEL names after its own file, with the paths given."""
import importlib.util
import pathlib
import sys


def main():
    model, *configurations = sys.argv[1:]
    name = pathlib.Path(model).stem
    spec = importlib.util.spec_from_file_location(name, model)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function = getattr(module, name, None)
    if not callable(function):
        sys.exit(f"{pathlib.Path(model).name} defines no function {name}")
    function(*configurations)


if __name__ == "__main__":
    main()
